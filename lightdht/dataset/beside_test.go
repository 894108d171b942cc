package dataset

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/table"
)

// tallied counts what writers of a run recorded, and what of that was flushed.
type tallied struct {
	recorded, flushed [crashWriters][crashContacts]atomic.Int64
	queries, asked    [crashWriters]atomic.Int64 // recorded, flushed
}

// mostRounds is how often a writer records at most: files that nobody waits for
// should not become too many.
const mostRounds = 500

// write is a writer that records and flushes until it is stopped.
func (c *tallied) write(r *Run, writer int, stop <-chan struct{}) error {
	for n := int64(1); n < mostRounds; n++ {
		for i := range crashContacts {
			c.recorded[writer][i].Store(n)
			r.Record(&record.Sighting{
				Time: crashEpoch.Add(time.Duration(n) * time.Microsecond), Node: crashNode(writer, i), Event: record.Event(1 + (n+int64(i))%4), Method: "ping",
			})
		}
		c.queries[writer].Store(n)
		r.Record(&record.Query{Time: crashEpoch, Node: crashNode(writer, 0), Size: int(n)})
		if err := r.Flush(); err != nil {
			return err
		}
		for i := range crashContacts {
			c.flushed[writer][i].Store(n)
		}
		c.asked[writer].Store(n)
		select {
		case <-stop:
			return nil
		default:
		}
	}
	return nil
}

// read reads all contacts and holds them to what was flushed before, and what was
// recorded afterwards.
func (c *tallied) read(s *Store) error {
	var least [crashWriters][crashContacts]int64
	for w := range least {
		for i := range least[w] {
			least[w][i] = c.flushed[w][i].Load()
		}
	}
	got := map[kad.NodeInfo]int64{}
	for contact, err := range s.Contacts(Filter{}) {
		if err != nil {
			return err
		}
		got[contact.Node] += int64(seenTimes(&contact.Tally))
	}
	for w := range least {
		for i := range least[w] {
			if n, most := got[crashNode(w, i)], c.recorded[w][i].Load(); n < least[w][i] || n > most {
				return fmt.Errorf("contact %d of writer %d was seen %d times, want %d to %d", i, w, n, least[w][i], most)
			}
		}
	}
	return nil
}

// readRows is read of queries.
func (c *tallied) readRows(s *Store) error {
	var least, got [crashWriters]int64
	for w := range least {
		least[w] = c.asked[w].Load()
	}
	for row, err := range s.Rows(record.KindQuery, Filter{}) {
		if err != nil {
			return err
		}
		q := row.Row.(*record.Query)
		w := q.Node.ID[18]
		if got[w]++; int64(q.Size) != got[w] {
			return fmt.Errorf("query %d of writer %d comes where %d should", q.Size, w, got[w])
		}
	}
	for w := range least {
		if most := c.queries[w].Load(); got[w] < least[w] || got[w] > most {
			return fmt.Errorf("%d queries of writer %d, want %d to %d", got[w], w, least[w], most)
		}
	}
	return nil
}

// looks are ways to look at a store while a run goes on.
func (c *tallied) looks(s *Store) []func() error {
	return []func() error{
		func() error { return c.read(s) },
		func() error { return c.read(s) },
		func() error { return c.readRows(s) },
		func() error {
			for _, err := range s.Sightings(Filter{}) {
				if err != nil {
					return err
				}
			}
			s.Good(9)
			_, err := s.Runs()
			return err
		},
		func() error {
			v, err := s.Verify()
			return errors.Join(append(v.Problems, err)...)
		},
		func() error {
			n, err := s.Mend()
			if n > 0 {
				err = errors.Join(err, fmt.Errorf("%d live runs were mended", n))
			}
			return err
		},
	}
}

// Who reads a store while it is written finds all that was flushed before, once,
// however often its files are sorted and merged meanwhile.
func TestReadWhileWritten(t *testing.T) {
	for _, segment := range []int64{600, 9000} {
		s := newStore(t)
		r := begin(t, s, Settings{
			segment: segment, FlushEvery: time.Millisecond, CheckpointEvery: time.Millisecond, SyncEvery: time.Millisecond, MinFree: -1,
			Good: func() []table.Contact { return crashGood },
		})
		r.flushing.Lock()
		r.others.most = 200e3
		r.flushing.Unlock()
		var c tallied
		var writers, readers sync.WaitGroup
		stop := make(chan struct{})
		for w := range crashWriters {
			writers.Go(func() {
				if err := c.write(r, w, stop); err != nil {
					t.Error(err)
				}
			})
		}
		for i, look := range c.looks(s) {
			readers.Go(func() {
				for range 15 {
					if err := look(); err != nil {
						t.Errorf("reader %d: %v", i, err)
						return
					}
				}
			})
		}
		readers.Wait()
		close(stop)
		writers.Wait()
		finish(t, r)
		if err := errors.Join(c.read(s), c.readRows(s)); err != nil {
			t.Error(err)
		}
		t.Logf("%d bytes a file: %d rounds", segment, c.asked[0].Load())
	}
}

// A run is told of rows, flushed, synced, asked and closed by many at once: what it
// did not keep it counts.
func TestRunIsUsedByMany(t *testing.T) {
	for range 10 {
		s := newStore(t)
		r := begin(t, s, Settings{segment: 3000, FlushEvery: time.Millisecond, CheckpointEvery: time.Millisecond, SyncEvery: time.Millisecond, Describe: func(m *Manifest) {
			m.Counters["made"] = 1
		}})
		var busy sync.WaitGroup
		var told atomic.Uint64
		for writer := range 4 {
			busy.Go(func() {
				for n := range 500 {
					r.Record(&record.Sighting{Time: crashEpoch, Node: crashNode(writer, n%40), Event: record.Mentioned})
					r.Record(&record.Endpoint{Time: crashEpoch, Addr: crashNode(writer, n%40).Addr})
					told.Add(2)
				}
			})
		}
		for range 2 {
			busy.Go(func() {
				for range 20 {
					r.Flush()
					r.Sync()
					r.Lost()
				}
			})
			busy.Go(func() {
				for r.Lost() == 0 && told.Load() < 2000 {
				}
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		busy.Wait()
		var kept uint64
		for _, c := range contactsOf(t, s, Filter{}) {
			kept += uint64(c.Mentions)
		}
		for _, err := range s.Rows(record.KindEndpoint, Filter{}) {
			if kept++; err != nil {
				t.Fatal(err)
			}
		}
		if kept+r.Lost() != told.Load() || told.Load() != 4000 {
			t.Errorf("told %d rows, %d are kept and %d lost", told.Load(), kept, r.Lost())
		}
	}
}

// Closed, a run leaves no goroutine behind: also when it had much to sort, or had
// stopped.
func TestCloseLeavesNothing(t *testing.T) {
	for _, limit := range []int64{0, 8000} {
		had := goleak.IgnoreCurrent()
		s, w := newStore(t), newWorld(4, 100)
		r := begin(t, s, Settings{segment: 700, MaxBytes: limit})
		for range 1000 {
			r.Record(w.sighting())
			if w.IntN(20) == 0 {
				r.Flush()
			}
		}
		r.Close()
		if err := goleak.Find(had); err != nil {
			t.Error(err)
		}
		if (r.Err() != nil) != (limit > 0) {
			t.Errorf("it ended with %v", r.Err())
		}
	}
}

// A store with more files in a run than the system lists at once is read whole while
// these are sorted.
func TestManyFilesAreListed(t *testing.T) {
	s := newStore(t)
	r := begin(t, s, Settings{segment: 600, FlushEvery: time.Hour, MinFree: -1})
	for i := range 400 { // what stands beside: the more, the longer it takes to list them
		if err := os.WriteFile(filepath.Join(r.dir, logName(sortRows, 500000+i)), appendHead(nil, sortRows, r.ID()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var c tallied
	stop, done := make(chan struct{}), make(chan error)
	go func() { done <- c.write(r, 0, stop) }()
	for range 60 {
		if err := c.read(s); err != nil {
			t.Error(err)
			break
		}
	}
	close(stop)
	if err := <-done; err != nil {
		t.Error(err)
	}
	finish(t, r)
}
