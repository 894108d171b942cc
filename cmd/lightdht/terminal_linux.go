package main

import (
	"os"
	"syscall"
	"unsafe"
)

// columns returns the width of the terminal that f is, and false when it is none.
func columns(f *os.File) (width int, terminal bool) {
	var size struct{ rows, cols, x, y uint16 }
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&size)))
	if errno != 0 {
		return 0, false
	}
	if size.cols == 0 {
		return assumedColumns(), true
	}
	return int(size.cols), true
}
