package dataset

import "golang.org/x/sys/windows"

// freeSpace returns how many bytes may be written to where a folder is; -1 when
// the system does not tell.
func freeSpace(dir string) int64 {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return -1
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(name, &free, nil, nil); err != nil {
		return -1
	}
	return int64(free)
}
