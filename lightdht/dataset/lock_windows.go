package dataset

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// errLocked is about a lock that another process, or another part of this one,
// holds.
var errLocked = errors.New("in use")

// lockOnce makes the file name, if it is not there, and locks it until it is
// closed, or the process ends.
func lockOnce(name string) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFileEx(file, windows.LOCKFILE_EXCLUSIVE_LOCK); err != nil {
		file.Close()
		if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
			return nil, errLocked
		}
		return nil, err
	}
	return file, nil
}

// locked reports whether somebody holds the lock name.
func locked(name string) bool {
	file, err := os.Open(name)
	if err != nil {
		return false
	}
	defer file.Close()
	return errors.Is(lockFileEx(file, 0), windows.ERROR_LOCK_VIOLATION)
}

func lockFileEx(file *os.File, flags uint32) error {
	return windows.LockFileEx(windows.Handle(file.Fd()), flags|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &windows.Overlapped{})
}
