//go:build !linux

package main

import "os"

// columns returns the width of the terminal that f is, as far as that can be
// told, and false when it is none.
func columns(f *os.File) (width int, terminal bool) {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return 0, false
	}
	return assumedColumns(), true
}
