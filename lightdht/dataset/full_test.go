package dataset

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
)

// stuffed is what became of a run that was told of more than there was room for.
type stuffed struct {
	sightings, queries uint64 // recorded
	troubles           []error
	run                *Run
	end                error // of Close
}

// stuff records in a new run until that takes no more, and then some.
func stuff(s *Store, set Settings) (*stuffed, error) {
	f := &stuffed{}
	set.FlushEvery, set.Trouble = time.Hour, func(err error) { f.troubles = append(f.troubles, err) }
	r, err := s.Begin(Manifest{Command: "stuff"}, set)
	if err != nil {
		return nil, err
	}
	w := newWorld(5, 0)
	f.run = r
	for after := 0; after < 3; {
		for range 300 + w.IntN(500) {
			n := kad.NodeInfo{ID: w.id(), Addr: w.addr()}
			r.Record(&record.Sighting{Time: w.tick(), Node: n, Event: record.Event(1 + w.IntN(4))})
			r.Record(&record.Query{Time: w.tick(), Node: n, Method: "ping"})
			f.sightings++
			f.queries++
		}
		if r.Flush() != nil {
			after++
		}
	}
	f.end = r.Close()
	return f, nil
}

// wrong says what is not as it should be: what was not kept is counted, the rest
// is there, and was told once why.
func (f *stuffed) wrong(s *Store, why string) error {
	var seen, asked uint64
	for c, err := range s.Contacts(Filter{}) {
		if err != nil {
			return err
		}
		seen += sightings([]Tally{c.Tally})
	}
	for _, err := range s.Rows(record.KindQuery, Filter{}) {
		if err != nil {
			return err
		}
		asked++
	}
	lost := [...]uint64{f.run.lost[record.KindSighting].Load(), f.run.lost[record.KindQuery].Load()}
	told := f.run.manifest.Rows
	switch {
	case seen+lost[0] != f.sightings || asked+lost[1] != f.queries || seen == 0 || lost[0] < 600 || f.run.Lost() != lost[0]+lost[1]:
		return fmt.Errorf("of %d sightings and %d queries there are %d and %d, lost were %d", f.sightings, f.queries, seen, asked, lost)
	case told["sightings"] != seen || told["queries"] != asked:
		return fmt.Errorf("there are %d sightings and %d queries, the run says %v", seen, asked, told)
	case len(f.troubles) != 1 || !strings.Contains(fmt.Sprint(f.troubles[0]), why) || strings.Contains(fmt.Sprint(f.troubles[0]), "\n"):
		return fmt.Errorf("of trouble was told %v", f.troubles)
	case f.end == nil || !strings.Contains(f.end.Error(), why) || f.run.Err() == nil:
		return fmt.Errorf("its end was %v", f.end)
	}
	files, err := dataFiles(f.run.dir)
	if err != nil {
		return err
	}
	for _, d := range files {
		r, err := openReading(f.run.dir, d)
		if err != nil {
			return err
		}
		if gaps, err := gapsOf(r); err != nil || len(gaps) > 0 {
			return fmt.Errorf("%s: %v, %v", d.name, gaps, err)
		}
		r.close()
	}
	return nil
}

// A store stops at its limit, and says so when a run is to begin there.
func TestLimit(t *testing.T) {
	s := newStore(t)
	f, err := stuff(s, Settings{MaxBytes: 200e3, MinFree: -1, segment: 30e3})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.wrong(s, "its limit is 200000"); err != nil {
		t.Error(err)
	}
	runs, err := s.Runs()
	if err != nil || runs[0].Manifest.State != Stopped || !strings.Contains(runs[0].Manifest.Error, "limit") || runs[0].Manifest.Drops["store_lost_queries"] == 0 {
		t.Errorf("the run is %+v: %v", runs[0].Manifest, err)
	}
	if v, err := s.Verify(); err != nil || len(v.Problems) > 0 {
		t.Errorf("verified: %+v, %v", v, err)
	}
	if _, err := s.Begin(Manifest{}, Settings{MaxBytes: 200e3}); err == nil || !strings.Contains(err.Error(), s.dir) {
		t.Errorf("a run began in a full store: %v", err)
	}
	r := begin(t, s, Settings{MaxBytes: 400e3})
	r.Record(newWorld(1, 1).sighting())
	finish(t, r)
}

// Who is told that the journal stopped may use the run.
func TestTroubleUsesRun(t *testing.T) {
	s, w := newStore(t), newWorld(1, 9)
	var r *Run
	told := 0
	r = begin(t, s, Settings{FlushEvery: time.Hour, MinFree: -1, Trouble: func(err error) {
		told++
		r.Record(w.sighting())
		if again := r.Sync(); again != err || r.Err() != err || r.Lost() != 1 {
			t.Errorf("%v, %v, %d lost", again, r.Err(), r.Lost())
		}
	}})
	r.Record(w.sighting())
	r.size.set.MinFree = 1 << 60
	r.Flush()
	if r.Close(); told != 1 {
		t.Errorf("told %d times", told)
	}
}

// A store leaves the disk some room.
func TestFreeSpaceIsLeft(t *testing.T) {
	s := newStore(t)
	if _, err := s.Begin(Manifest{}, Settings{MinFree: 1 << 60}); err == nil || !strings.Contains(err.Error(), s.dir) {
		t.Errorf("a run began on a full disk: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(s.runs(), "*")); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
	r := begin(t, s, Settings{FlushEvery: time.Hour})
	w := newWorld(1, 9)
	r.Record(w.sighting())
	r.size.set.MinFree = 1 << 60
	if err := r.Flush(); err == nil || !strings.Contains(err.Error(), "left free") {
		t.Errorf("flushed with no room left: %v", err)
	}
	r.Record(w.sighting())
	if err := r.Close(); err == nil || r.Lost() != 1 || len(contactsOf(t, s, Filter{})) != 1 {
		t.Errorf("lost %d: %v", r.Lost(), err)
	}
}
