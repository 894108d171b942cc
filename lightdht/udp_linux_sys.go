//go:build linux && !386

package lightdht

import "syscall"

const (
	sysGetsockopt = syscall.SYS_GETSOCKOPT
	sysSendto     = syscall.SYS_SENDTO
)
