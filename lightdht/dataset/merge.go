package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Merged is what Merge did.
type Merged struct {
	Runs, Known, Live, Left int // copied; there already; not copied, as they go on, or as they cannot be read
	OtherKey                bool
}

// Merge copies the runs of from that to does not have, or has only as they were
// before they ended. Runs that go on are left out, and those that from cannot read,
// which its Problem is told. Both must be of one network.
// OtherKey says that infohashes that were hashed in the one are not comparable
// with those of the other.
func Merge(to, from *Store) (m Merged, err error) {
	if to.Network() != from.Network() {
		return m, &OtherNetworkError{from.dir, from.Network(), to.Network()}
	}
	if a, err := os.Stat(to.dir); err == nil {
		if b, err := os.Stat(from.dir); err == nil && os.SameFile(a, b) {
			return m, fmt.Errorf("%s and %s are one store", to.dir, from.dir)
		}
	}
	m.OtherKey = to.head.Key != from.head.Key
	runs, err := from.Runs()
	if err != nil {
		return m, err
	}
	for i := range runs {
		r := &runs[i]
		has := to.run(r.ID)
		_, err := os.Stat(has.dir)
		switch there := err == nil; {
		case r.held:
			m.Live++
		case !from.readable(r):
			m.Left++ // which was told
		case there && !outdated(&has, r):
			m.Known++
		default:
			if err := copyRun(r.dir, has.dir); err != nil {
				return m, err
			}
			m.Runs++
		}
	}
	return m, syncFolder(to.runs())
}

// outdated reports whether a run that a store has was copied there before it ended,
// as from another store it did, or has lost files that the other has.
func outdated(has, from *RunInfo) bool {
	switch {
	case has.held || from.Manifest == nil || from.Manifest.State == Running:
		return false
	case len(has.missing()) > 0 && len(from.missing()) == 0:
		return true
	case has.Manifest == nil:
		return !errors.Is(has.Err, errNewer)
	case has.Manifest.State == Crashed: // it was mended, too
		return has.Err == nil && (from.Manifest.State != Crashed || from.Manifest.End.After(has.Manifest.End))
	}
	return has.Err == nil && has.Manifest.State == Running
}

// unfinishedCopy is how the name of a folder begins that a run is being copied into.
const unfinishedCopy = ".copy-"

// copyRun copies the folder of a run: it stands under its name when it is whole.
func copyRun(from, to string) error {
	tmp, err := os.MkdirTemp(filepath.Dir(to), unfinishedCopy+"*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	held, err := lock(filepath.Join(tmp, lockFile)) // until it has its name
	if err != nil {
		return err
	}
	defer held.Close()
	var folders []string
	err = filepath.WalkDir(from, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		switch {
		case err != nil:
			return err
		case e.IsDir():
			folders = append(folders, filepath.Join(tmp, rel))
			return os.MkdirAll(filepath.Join(tmp, rel), 0o700)
		case !e.Type().IsRegular() || rel == lockFile:
			return nil
		}
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		return copyPart(filepath.Join(tmp, rel), file)
	})
	for _, folder := range folders {
		err = errors.Join(err, syncFolder(folder))
	}
	if err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(to), os.Remove(held.Name())); err != nil {
		return err
	}
	return os.Rename(tmp, to)
}
