package lightdht

// Those of asm/unistd_32.h, the first two since Linux 4.3; package syscall has
// socketcall alone.
const (
	sysGetsockopt = 365
	sysSendto     = 369
	sysSendmmsg   = 345
)
