package dataset

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// sorter turns the full files of tallies of a run into sorted ones, and merges
// those: whenever there are fanIn next to each other of as many files, so that of
// n there are never more than fanIn-1 times the logarithm of n.
type sorter struct {
	dir string
	run RunID

	mu      sync.Mutex
	due     []int // numbers of files that are to be sorted
	working bool
	idle    *sync.Cond
	sorted  []File // that there are now; guarded by mu
	spans   []span // of these
	err     error  // the first; then it only keeps what there is

	// tell is told the first error, before wait returns; nil: nobody. It is set
	// before there is anything to sort, and must not wait for the sorter.
	tell func(error)

	// apart is the number of a log whose sorted file is never merged with others; 0:
	// none. In a copy of a run that goes on, the last log may turn up again, longer.
	apart int
}

// fanIn is how many files are merged into one.
const fanIn = 4

// span is the files from to to.
type span struct{ from, to int }

func (s span) size() int { return s.to - s.from + 1 }

func newSorter(dir string, run RunID) *sorter {
	s := &sorter{dir: dir, run: run}
	s.idle = sync.NewCond(&s.mu)
	return s
}

// add has a file sorted, some time soon.
func (s *sorter) add(number int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due = append(s.due, number)
	if !s.working {
		s.working = true
		go s.work()
	}
}

// wait waits until all is sorted, and returns the first error.
func (s *sorter) wait() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.working {
		s.idle.Wait()
	}
	return s.err
}

// now returns the sorted files there are, and the last number among them.
func (s *sorter) now() (files []File, last int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.spans); n > 0 {
		last = s.spans[n-1].to
	}
	return append([]File(nil), s.sorted...), last
}

func (s *sorter) work() {
	for {
		s.mu.Lock()
		if len(s.due) == 0 {
			s.working = false
			s.idle.Broadcast()
			s.mu.Unlock()
			return
		}
		number := s.due[0]
		s.due = s.due[1:]
		failed := s.err
		s.mu.Unlock()
		if failed != nil {
			continue
		}
		err := s.sort(number)
		for err == nil && s.crowded() {
			err = s.merge()
		}
		if err != nil {
			s.fail(fmt.Errorf("sorting: %w", err))
		}
	}
}

// fail notes the first error.
func (s *sorter) fail(err error) {
	s.mu.Lock()
	s.err = err
	s.mu.Unlock()
	if s.tell != nil {
		s.tell(err)
	}
}

// sort makes one file of tallies a sorted one.
func (s *sorter) sort(number int) error {
	h, size, err := s.load(number)
	if err != nil {
		return err
	}
	if number == s.apart {
		size |= mayGrow
	}
	return s.put(span{number, number}, size, h.sorted(), logName(sortTallies, number))
}

// load reads a file of tallies of so many bytes.
func (s *sorter) load(number int) (h *heap, size int64, err error) {
	in, err := openReading(s.dir, dataFile{logName(sortTallies, number), sortTallies, number, number})
	if err != nil {
		return nil, 0, err
	}
	defer in.close()
	h = newHeap()
	return h, in.size, h.load(in, nil)
}

// put writes what a cursor yields into a sorted file, which stands for so many bytes
// of one log or for several files, and removes these. The cursor is closed before:
// some systems remove no file that is open.
func (s *sorter) put(of span, bytes int64, from cursor, instead ...string) error {
	entry, err := writeSorted(s.dir, sortedName(of.from, of.to), s.run, bytes, from)
	from.close()
	if err != nil {
		return err
	}
	s.mu.Lock()
	n := len(s.spans)
	for n > 0 && s.spans[n-1].from >= of.from {
		n--
	}
	s.spans, s.sorted = append(s.spans[:n], of), append(s.sorted[:n], entry)
	s.mu.Unlock()
	var errs []error
	for _, name := range instead {
		errs = append(errs, os.Remove(filepath.Join(s.dir, name)))
	}
	return errors.Join(errs...)
}

// crowded reports whether the last fanIn files are of as many, next to each other.
func (s *sorter) crowded() bool {
	n := len(s.spans)
	if n < fanIn {
		return false
	}
	last := s.spans[n-fanIn:]
	for i, next := range last[1:] {
		if next.size() != last[i].size() || !s.joins(last[i], next) {
			return false
		}
	}
	return true
}

// joins reports whether two files may become one. In a copy that was made while files
// were merged some may be missing between them, and one have less than its log has by
// now: these may be copied yet.
func (s *sorter) joins(a, b span) bool {
	return b.from == a.to+1 && !s.isShort(a) && !s.isShort(b)
}

// isShort reports whether a file may have less than its log.
func (s *sorter) isShort(p span) bool {
	bytes, _ := standsForIn(s.dir, sortedName(p.from, p.to))
	return bytes&mayGrow != 0
}

// merge makes the last fanIn files one.
func (s *sorter) merge() error {
	last := s.spans[len(s.spans)-fanIn:]
	return s.join(span{last[0].from, last[fanIn-1].to}, last)
}

// joinAll makes those files one that may become one.
func (s *sorter) joinAll() error {
	all, entries := s.spans, s.sorted
	s.spans, s.sorted = nil, nil
	for from, to := 0, 0; from < len(all); from = to {
		for to = from + 1; to < len(all) && s.joins(all[to-1], all[to]); {
			to++
		}
		if to == from+1 {
			s.spans, s.sorted = append(s.spans, all[from]), append(s.sorted, entries[from])
		} else if err := s.join(span{all[from].from, all[to-1].to}, all[from:to]); err != nil {
			return err
		}
	}
	return nil
}

// join makes the files of parts one.
func (s *sorter) join(whole span, parts []span) error {
	var cursors []cursor
	var instead []string
	names := &names{}
	all := newMerged(nil)
	defer all.close()
	for _, p := range parts {
		name := sortedName(p.from, p.to)
		in, err := openReading(s.dir, dataFile{name, sortSorted, p.from, p.to})
		if err != nil {
			return err
		}
		cursors = append(cursors, in.tallies(names))
		all.all = cursors
		instead = append(instead, name)
	}
	return s.put(whole, 0, all, instead...)
}
