package dataset

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// logged writes tallies of one contact into a log of a run that nobody writes, and
// returns them.
func logged(t testing.TB, dir string, number, tallies int) []Tally {
	t.Helper()
	j := journal{dir: dir, sort: sortTallies, most: 1 << 30, number: number - 1}
	w, node := newFramer(RunID{}), newWorld(1, 1).nodes[0]
	var all []Tally
	for i := range tallies {
		all = append(all, Tally{Node: node, First: Stamp(1000*number + i), Last: Stamp(1000*number + i), Mentions: 1})
		w.buf = all[i].append(w.buf, w.open(all[i].First))
		w.settle(false)
	}
	if err := j.write(w.take(nil), uint64(tallies)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := j.finish(); err != nil {
		t.Fatal(err)
	}
	return all
}

// closing is a cursor that says what files there are when it is closed.
type closing struct {
	cursor
	dir string
	had []string
}

func (c *closing) close() {
	c.had, _ = filepath.Glob(filepath.Join(c.dir, "*"))
	c.cursor.close()
}

// What a sorted file stands for is removed when it is there, and closed: there are
// systems that remove no open file.
func TestInputsAreClosedBeforeTheyAreRemoved(t *testing.T) {
	dir := t.TempDir()
	s := newSorter(dir, RunID{})
	for number := 1; number <= fanIn; number++ {
		logged(t, dir, number, 1+smallFile/30) // else they are not held open
		was := openFilesOf(t, dir)
		if _, _, err := s.load(number); err != nil || openFilesOf(t, dir) != was {
			t.Fatalf("of file %d something is left open: %v", number, err)
		}
		if err := s.sort(number); err != nil {
			t.Fatal(err)
		}
	}
	had, _ := filepath.Glob(filepath.Join(dir, "*"))
	c := &closing{cursor: &memory{}, dir: dir}
	if err := s.put(span{1, fanIn}, 0, c, filepath.Base(had[0]), filepath.Base(had[1])); err != nil {
		t.Fatal(err)
	}
	if have, _ := filepath.Glob(filepath.Join(dir, "*")); len(c.had) != fanIn+1 || len(have) != fanIn-1 {
		t.Errorf("there were %v when the cursor was closed, then %v", c.had, have)
	}
}

// openFilesOf counts the open files in a folder, on systems that tell.
func openFilesOf(t testing.TB, dir string) (n int) {
	t.Helper()
	own, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	for _, e := range own {
		if name, _ := os.Readlink("/proc/self/fd/" + e.Name()); strings.HasPrefix(name, dir) {
			n++
		}
	}
	return n
}

// Of n files there are never more than fanIn-1 times the digits of n, and they are
// next to each other.
func TestSorterMerges(t *testing.T) {
	dir := t.TempDir()
	s := newSorter(dir, RunID{})
	var seen uint64
	for number := 1; number <= 70; number++ {
		seen += sightings(logged(t, dir, number, 2))
		s.add(number)
		if err := s.wait(); err != nil {
			t.Fatal(err)
		}
		var want []span
		for from, size := 1, fanIn*fanIn*fanIn; size > 0; size /= fanIn {
			for ; from+size-1 <= number; from += size {
				want = append(want, span{from, from + size - 1})
			}
		}
		if !slices.Equal(s.spans, want) {
			t.Fatalf("%d files became %v, want %v", number, s.spans, want)
		}
	}
	files, err := dataFiles(dir)
	if err != nil || len(files) != len(s.spans) {
		t.Errorf("there are %v, want %v: %v", files, s.spans, err)
	}
	var kept uint64
	for _, d := range files {
		r, err := openReading(dir, d)
		if err != nil {
			t.Fatal(err)
		}
		if err := eachTally(r, func(t *Tally) { kept += sightings([]Tally{*t}) }); err != nil {
			t.Error(err)
		}
		r.close()
	}
	if kept != seen {
		t.Errorf("%d sightings, want %d", kept, seen)
	}
}

// Files on both sides of a missing one, which may be copied yet, are not merged; nor
// is that of a log which may be.
func TestSorterJoinsNeighbours(t *testing.T) {
	s := newSorter(t.TempDir(), RunID{})
	s.apart = 8
	for _, number := range []int{1, 2, 4, 5, 7, 8} {
		logged(t, s.dir, number, 2)
		s.add(number)
	}
	if err := s.wait(); err != nil || len(s.spans) != 6 {
		t.Errorf("sorted, there are %v: %v", s.spans, err)
	}
	s.apart = 0
	for range 2 {
		err := s.joinAll()
		if want := []span{{1, 2}, {4, 5}, {7, 7}, {8, 8}}; err != nil || !slices.Equal(s.spans, want) || len(s.sorted) != len(want) {
			t.Errorf("joined, there are %v, want %v: %v", s.spans, want, err)
		}
	}
	for i, file := range s.sorted {
		if want := sortedName(s.spans[i].from, s.spans[i].to); file.Name != want {
			t.Errorf("%v is listed as %s", s.spans[i], file.Name)
		}
	}
}

// The first error of a sorter is told, once, and wait returns it; what follows stays
// as it is.
func TestSorterTells(t *testing.T) {
	dir := t.TempDir()
	s := newSorter(dir, RunID{})
	var told []error
	s.tell = func(err error) { told = append(told, err) }
	for number := range 4 {
		if number != 2 {
			logged(t, dir, number+1, 2)
		}
	}
	for number := range 4 {
		s.add(number + 1)
	}
	err := s.wait()
	if !errors.Is(err, os.ErrNotExist) || !slices.Equal(told, []error{err}) {
		t.Errorf("told %v, and then %v", told, err)
	}
	if files, _ := dataFiles(dir); len(files) != 3 || files[2].sort != sortTallies {
		t.Errorf("there are %v", files)
	}
}
