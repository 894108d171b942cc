//go:build linux && !386 && !amd64

package lightdht

import "syscall"

const sysSendmmsg = syscall.SYS_SENDMMSG
