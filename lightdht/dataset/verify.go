package dataset

import (
	"crypto/sha256"
	"encoding/hex"
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
	listed := map[string]File{}
	if r.Manifest != nil {
		for _, f := range r.Manifest.Files {
			listed[f.Name] = f
		}
	}
	look := func(f *reading) {
		defer f.close()
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
	}
	if err := eachFile(r.dir, look, bad); err != nil {
		bad(err)
	}
	if r.Live {
		return // its writer merges files meanwhile
	}
	for name := range listed {
		bad(fmt.Errorf("%s: is missing", filepath.Join(r.dir, name)))
	}
}

// eachFile calls look with the files of a run, which closes them: those of tallies
// are opened at once, as they may vanish, and there are few.
func eachFile(dir string, look func(*reading), bad func(error)) error {
	tallies, err := openFiles(dir, func(d dataFile) bool { return d.sort != sortRows }, bad)
	if err != nil {
		return err
	}
	for _, f := range tallies {
		look(f)
	}
	names, err := dataFiles(dir)
	if err != nil {
		return err
	}
	for _, d := range names {
		if d.sort != sortRows {
			continue
		}
		if f, err := openReading(dir, d); err == nil {
			look(f)
		} else {
			bad(err)
		}
	}
	return nil
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
	top := []string{storeFile, identityFile, identityFile + ".spoilt", identityLock, runsFolder}
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
