package lightdht

const sysSendmmsg = 307 // of asm/unistd_64.h; package syscall is older
