package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// describe measures a file and its checksum.
func describe(r *reading) (File, error) {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(r.in, 0, r.size)); err != nil {
		return File{}, err
	}
	return File{Name: filepath.Base(r.name), Bytes: r.size, SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}

// Verified is what Verify looked at.
type Verified struct {
	Runs, Live, Files int
	Bytes             int64
	Problems          []error
}

// Verify reads the whole store and holds it to its checksums, its manifests and
// its own form. It changes nothing. Problems are what it found wrong; the error is
// that it could not look.
func (s *Store) Verify() (v Verified, err error) {
	bad := func(err error) { v.Problems = append(v.Problems, err) }
	runs, err := s.Runs()
	if err != nil {
		return v, err
	}
	for _, name := range s.foreign() {
		bad(fmt.Errorf("%s: %w; it is left alone", name, errForeign))
	}
	for i := range runs {
		v.Runs++
		r := &runs[i]
		if r.Live {
			v.Live++
		}
		if r.Err != nil {
			bad(r.Err)
		}
		if r.Manifest != nil && r.Manifest.State == Running && !r.Live {
			bad(fmt.Errorf("%s: its program died: lightdht store compact puts it in order", r.dir))
		}
		s.verifyRun(r, &v, bad)
	}
	return v, nil
}

// verifyRun looks at the files of a run.
func (s *Store) verifyRun(r *RunInfo, v *Verified, bad func(error)) {
	files, err := openFiles(r.dir, func(dataFile) bool { return true }, bad)
	if err != nil {
		bad(err)
		return
	}
	listed := map[string]File{}
	if r.Manifest != nil {
		for _, f := range r.Manifest.Files {
			listed[f.Name] = f
		}
	}
	for _, f := range files {
		v.Files++
		v.Bytes += f.size
		name := filepath.Base(f.name)
		want, ok := listed[name]
		delete(listed, name)
		if err := checkFile(f, want, ok); err != nil && !r.Live {
			bad(err)
		}
		if !ok && r.Manifest != nil && r.Manifest.State != Running {
			bad(fmt.Errorf("%s: is not in the manifest of its run", f.name))
		}
		f.close()
	}
	if r.Live {
		return // its writer merges files meanwhile
	}
	for name := range listed {
		bad(fmt.Errorf("%s: is missing", filepath.Join(r.dir, name)))
	}
}

// checkFile says what is wrong with a file, of which a manifest says what it
// should be if it is listed.
func checkFile(r *reading, want File, listed bool) error {
	gaps, err := gapsOf(r)
	if err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	if len(gaps) > 0 {
		return fmt.Errorf("%s: %v", r.name, gaps[0])
	}
	if !listed {
		return nil
	}
	is, err := describe(r)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", r.name, err)
	case is.Bytes != want.Bytes:
		return fmt.Errorf("%s: has %d bytes, its manifest says %d", r.name, is.Bytes, want.Bytes)
	case is.SHA256 != want.SHA256:
		return fmt.Errorf("%s: its checksum is not that of its manifest", r.name)
	}
	return nil
}

// foreign lists what stands in the store and is not of it.
func (s *Store) foreign() (names []string) {
	list := func(dir string, known func(fs.DirEntry) bool) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return
		}
		for _, e := range entries {
			if !known(e) && !strings.HasPrefix(e.Name(), ".") {
				names = append(names, filepath.Join(dir, e.Name()))
			}
		}
	}
	top := []string{storeFile, identityFile, identityLock, runsFolder}
	list(s.dir, func(e fs.DirEntry) bool { return slices.Contains(top, e.Name()) })
	list(s.runs(), func(e fs.DirEntry) bool {
		_, err := ParseRunID(e.Name())
		return err == nil && e.IsDir()
	})
	own := []string{manifestFile, lockFile, goodFile, tornFolder}
	runs, _ := s.Runs()
	for _, r := range runs {
		list(r.dir, func(e fs.DirEntry) bool {
			_, data := parseDataFile(e.Name())
			return data || slices.Contains(own, e.Name())
		})
	}
	return names
}

// Merged is what Merge did.
type Merged struct {
	Runs, Known, Live int // copied; there already; not copied, as they go on
	OtherKey          bool
}

// Merge copies the runs of from that to does not have, or has only as they were
// before they ended. Runs that go on are left out. Both must be of one network.
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
		there := err == nil
		unended := there && !has.Live && (has.Manifest == nil || has.Manifest.State == Running)
		switch {
		case r.Live:
			m.Live++
		case there && !(unended && r.Manifest != nil && r.Manifest.State != Running):
			m.Known++
		case errors.Is(r.Err, errNewer):
			return m, r.Err
		default:
			if err := copyRun(r.dir, has.dir); err != nil {
				return m, err
			}
			m.Runs++
		}
	}
	return m, syncFolder(to.runs())
}

// copyRun copies the folder of a run: it stands under its name when it is whole.
func copyRun(from, to string) error {
	tmp, err := os.MkdirTemp(filepath.Dir(to), ".copy-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	err = filepath.WalkDir(from, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		switch {
		case err != nil:
			return err
		case e.IsDir():
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
	if err != nil {
		return err
	}
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return os.Rename(tmp, to)
}
