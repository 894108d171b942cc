package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// The writer of a run sorts and merges files while others read: a name that was
// listed may be gone when it is to be opened, and a listing that takes the system
// several steps may have neither the old name nor the new one. What is open, though,
// stays. So files are listed again until there are none whose segments are not
// open.

const (
	openTries = 200 // how often it is tried when a file is gone
	listTries = 4   // how often files are listed; a run that goes on has ever new ones
)

// openFiles opens the files of a run that want picks. Those that this program does
// not understand are left out and told.
func openFiles(dir string, want func(dataFile) bool, tell func(error)) ([]*reading, error) {
	for try := 1; ; try++ {
		o := opening{dir: dir, want: want}
		err := o.open()
		if err == nil {
			for _, err := range o.strange {
				tell(fmt.Errorf("%w: left out", err))
			}
			return o.files, nil
		}
		for _, r := range o.files {
			r.close()
		}
		if try == openTries || !errors.Is(err, fs.ErrNotExist) && err != errPartly {
			return nil, err
		}
	}
}

// opening is files of a run that are being opened.
type opening struct {
	dir     string
	want    func(dataFile) bool
	files   []*reading
	strange []error    // of those that are left out
	tallies []dataFile // that are open or left out
}

// errPartly is that a file has segments of which some are open, and some are not.
var errPartly = errors.New("its files change faster than they can be opened")

// open opens all there are.
func (o *opening) open() error {
	for list := range listTries {
		names, err := dataFiles(o.dir)
		if err != nil {
			return err
		}
		before := len(o.tallies)
		for _, d := range names {
			if !o.want(d) || d.sort == sortRows && list > 0 {
				continue // those of other rows stay where they are
			}
			if err := o.add(d); err != nil {
				return err
			}
		}
		if len(o.tallies) == before {
			break
		}
	}
	slices.SortStableFunc(o.files, func(a, b *reading) int { return a.from - b.from })
	return nil
}

// add opens a file, unless its segments are open already.
func (o *opening) add(d dataFile) error {
	if d.sort != sortRows {
		switch o.has(d) {
		case 0:
		case d.to - d.from + 1:
			return nil
		default:
			return errPartly
		}
	}
	r, err := openReading(o.dir, d)
	switch {
	case err == nil:
		o.files = append(o.files, r)
	case errors.Is(err, errNewer) || errors.Is(err, errSort):
		o.strange = append(o.strange, err)
	default:
		return err
	}
	if d.sort != sortRows {
		o.tallies = append(o.tallies, d)
	}
	return nil
}

// has returns how many segments of a file of tallies are open.
func (o *opening) has(d dataFile) (n int) {
	for _, is := range o.tallies {
		n += max(min(d.to, is.to)-max(d.from, is.from)+1, 0)
	}
	return n
}
