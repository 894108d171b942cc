package dataset

import (
	"errors"
	"os"
	"time"
)

// lock makes the file name, if it is not there, and locks it until it is closed,
// or the process ends. It is errLocked when somebody else holds it for longer than
// it takes to look whether it is held.
func lock(name string) (*os.File, error) {
	for try := 1; ; try++ {
		file, err := lockOnce(name)
		if errors.Is(err, errLocked) && try < 10 {
			time.Sleep(time.Duration(try) * time.Millisecond)
			continue
		}
		if err != nil || isStill(file, name) {
			return file, err
		}
		file.Close() // who held it before took it away: others will not find this one
	}
}

// isStill reports whether a file stands under its name.
func isStill(file *os.File, name string) bool {
	is, err := file.Stat()
	if err != nil {
		return false
	}
	found, err := os.Stat(name)
	return err == nil && os.SameFile(is, found)
}
