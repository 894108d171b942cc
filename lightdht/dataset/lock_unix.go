//go:build unix

package dataset

import (
	"errors"
	"os"
	"syscall"
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
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errLocked
		}
		return nil, err
	}
	return file, nil
}

// locked reports whether somebody holds the lock name. It needs to be allowed
// to read the file alone.
func locked(name string) bool {
	file, err := os.Open(name)
	if err != nil {
		return false
	}
	defer file.Close()
	return errors.Is(syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}
