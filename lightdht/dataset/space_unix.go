//go:build unix

package dataset

import "golang.org/x/sys/unix"

// freeSpace returns how many bytes may be written to where a folder is; -1 when
// the system does not tell.
func freeSpace(dir string) int64 {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return -1
	}
	return int64(s.Bavail) * int64(s.Bsize)
}
