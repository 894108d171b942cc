package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// What stands in a folder:
//
//	store.json                          which network it is of
//	identity.json                       who the node was
//	runs/RUN/manifest.json              the story of a run
//	runs/RUN/lock                       held while it goes on
//	runs/RUN/contacts-000007.log        tallies as they came; numbers go up
//	runs/RUN/contacts-000001-000006.sorted   those of six such files, sorted and merged
//	runs/RUN/rows-000001.log            all other rows
//	runs/RUN/good.sorted                contacts to begin the next run with
//	runs/RUN/torn/                      what was no whole frame and cut off
const (
	storeFile    = "store.json"
	identityFile = "identity.json"
	runsFolder   = "runs"
	manifestFile = "manifest.json"
	lockFile     = "lock"
	goodFile     = "good.sorted"
	tornFolder   = "torn"
)

var dataNames = regexp.MustCompile(`^(contacts|rows)-(\d{6})(?:-(\d{6}))?\.(log|sorted)$`)

// dataFile is a file of rows, by its name: of the segments from to to.
type dataFile struct {
	name     string
	sort     fileSort
	from, to int
}

// parseDataFile reads a name; false when it is of no such file.
func parseDataFile(name string) (d dataFile, ok bool) {
	m := dataNames.FindStringSubmatch(name)
	if m == nil {
		return d, false
	}
	d.name = name
	d.from, _ = strconv.Atoi(m[2])
	d.to = d.from
	switch {
	case m[1] == "contacts" && m[4] == "sorted" && m[3] != "":
		d.sort = sortSorted
		d.to, _ = strconv.Atoi(m[3])
	case m[1] == "contacts" && m[4] == "log" && m[3] == "":
		d.sort = sortTallies
	case m[1] == "rows" && m[4] == "log" && m[3] == "":
		d.sort = sortRows
	default:
		return d, false
	}
	return d, d.from > 0 && d.to >= d.from
}

func logName(sort fileSort, number int) string {
	if sort == sortRows {
		return fmt.Sprintf("rows-%06d.log", number)
	}
	return fmt.Sprintf("contacts-%06d.log", number)
}

func sortedName(from, to int) string { return fmt.Sprintf("contacts-%06d-%06d.sorted", from, to) }

// outFile is a file that is being written, from its beginning on.
type outFile struct {
	file *os.File
	name string // without its folder
	size int64
	hash hash.Hash
}

// createOut begins a file of rows, which must not be there yet. It stands for so
// many bytes of another.
func createOut(dir, name string, sort fileSort, run RunID, instead int64) (*outFile, error) {
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	o := &outFile{file: file, name: name, hash: sha256.New()}
	head := appendHead(nil, sort, run)
	putStandsFor(head, instead)
	if err := o.write(head); err != nil {
		file.Close()
		os.Remove(file.Name())
		return nil, err
	}
	return o, nil
}

// write appends b as a whole or, when that fails, not at all if it can be helped.
func (o *outFile) write(b []byte) error {
	n, err := o.file.Write(b)
	if err != nil {
		if n > 0 {
			o.file.Truncate(o.size) // else what reads it passes over the rest
			o.file.Seek(o.size, 0)
		}
		return err
	}
	o.size += int64(n)
	o.hash.Write(b)
	return nil
}

// entry is what a manifest says of the file.
func (o *outFile) entry(rows uint64) File {
	return File{Name: o.name, Bytes: o.size, Rows: rows, SHA256: hex.EncodeToString(o.hash.Sum(nil))}
}

// finish syncs and closes the file.
func (o *outFile) finish() error { return errors.Join(o.file.Sync(), o.file.Close()) }

// replace writes a file in place of one of this name, or none: readers find the
// one or the other, whole.
func replace(name string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		os.Remove(file.Name())
	}
	return err
}

// syncFolder makes sure that the names in a folder are on disk.
func syncFolder(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrInvalid) && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

// folderSize returns how many bytes the files below a folder have.
func folderSize(name string) (size int64) {
	filepath.WalkDir(name, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			if info, err := e.Info(); err == nil {
				size += info.Size()
			}
		}
		return nil // what vanishes meanwhile has no size
	})
	return size
}
