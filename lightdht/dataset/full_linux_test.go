package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func init() { childTasks["full disk"] = fullDisk }

// A disk that is full stops the journal, and harms nothing: when there is room
// again, all goes on.
func TestFullDisk(t *testing.T) {
	cmd := child(t, "full disk", t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	err := cmd.Run()
	if errors.Is(err, syscall.EPERM) || bytes.Contains(said.Bytes(), []byte(errNoMount.Error())) {
		t.Skipf("it needs a file system of its own: %v %s", err, &said)
	} else if err != nil {
		t.Fatalf("%v: %s", err, &said)
	}
}

var errNoMount = errors.New("no file system can be mounted")

// fullDisk fills a small file system of its own.
func fullDisk(dir string) error {
	err := errors.Join(
		syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""),
		syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"))
	if err != nil {
		return fmt.Errorf("%w: %w", errNoMount, err)
	}
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 500e3), 0o600); err != nil {
		return err
	}
	s, err := Create(filepath.Join(dir, "store"), "lab")
	if err != nil {
		return err
	}
	f, err := stuff(s, Settings{MinFree: -1, segment: 20e3})
	if err != nil {
		return err
	}
	if err := f.wrong(s, "no space left on device"); err != nil {
		return err
	}
	rest := filepath.Join(dir, "rest")
	if err := os.WriteFile(rest, make([]byte, 1e6), 0o600); !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("the disk is not full: %w", err)
	}
	if _, err := s.Begin(Manifest{}, Settings{MinFree: -1}); !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("a run began on a full disk: %w", err)
	}
	if runs, err := s.Runs(); err != nil || len(runs) != 1 {
		return fmt.Errorf("there are %d runs: %w", len(runs), err)
	}
	if err := errors.Join(os.Remove(ballast), os.Remove(rest)); err != nil {
		return err
	}
	return afterwards(s, f)
}

// afterwards is what a store must be when there is room again.
func afterwards(s *Store, f *stuffed) error {
	if _, err := s.Mend(); err != nil {
		return err
	}
	if err := f.wrong(s, "no space left on device"); err != nil {
		return fmt.Errorf("mended: %w", err)
	}
	r, err := s.Begin(Manifest{}, Settings{MinFree: -1})
	if err != nil {
		return err
	}
	r.Record(newWorld(1, 1).sighting())
	if err := r.Close(); err != nil {
		return err
	}
	runs, err := s.Runs()
	if err != nil || len(runs) != 2 {
		return fmt.Errorf("there are %d runs: %w", len(runs), err)
	}
	v, err := s.Verify()
	return errors.Join(append(v.Problems, err)...)
}
