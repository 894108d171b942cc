package dataset

import (
	"errors"
	"io"
	"os"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
)

// lengthened makes a slice look so long while f runs, which must look at its length
// and its first entries alone.
func lengthened[T any](s *[]T, length int, f func()) {
	parts := (*[3]uintptr)(unsafe.Pointer(s)) // where it is, its length, its room
	was := parts[1]
	parts[1] = uintptr(length)
	f()
	parts[1] = was
}

// What waits for a disk that takes nothing is bounded: of contacts, and of rows.
func TestWaitingIsBounded(t *testing.T) {
	w, s := newWorld(1, 1), newStore(t)
	for _, keep := range []bool{false, true} {
		r := begin(t, s, Settings{FlushEvery: time.Hour, KeepSightings: keep})
		takes := func(what string, row record.Row, want bool) {
			t.Helper()
			if r.take(row) != want {
				t.Errorf("sightings kept %v: it takes a row of %T %s: %v", keep, row, what, !want)
			}
		}
		r.mu.Lock()
		sighting, query := w.sighting(), &record.Query{Node: w.node()}
		takes("first", sighting, true)
		for length, room := range map[int]bool{heapMost - 1: true, heapMost: false} {
			lengthened(&r.heap.tallies, length, func() { takes("of a contact", sighting, room) })
		}
		lengthened(&r.heap.tallies, heapMost, func() { takes("beside contacts", query, true) })
		some := r.rows.buf
		r.rows.settle(true)
		r.rows.buf = make([]byte, rowsMost-1, rowsMost+1000)
		takes("before the last byte", query, true)
		r.rows.settle(true)
		takes("of no contact", query, false)
		takes("beside rows", sighting, !keep)
		r.rows.buf, r.rows.from = some[:0], -1
		r.mu.Unlock()
		r.Close()
	}
}

// Both journals are synced.
func TestJournalsAreSynced(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a pipe can be synced there")
	}
	w, s := newWorld(1, 1), newStore(t)
	for _, of := range []func(*Run) *journal{
		func(r *Run) *journal { return r.contacts }, func(r *Run) *journal { return r.others },
	} {
		r := begin(t, s, Settings{FlushEvery: time.Hour, SyncEvery: -1})
		r.Record(w.sighting())
		r.Record(&record.Query{Node: w.node()})
		if err := r.Sync(); err != nil {
			t.Fatal(err)
		}
		in, out, err := os.Pipe() // which no system syncs
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		defer out.Close()
		j := of(r)
		file := j.out.file
		j.out.file = out
		r.sync()
		if j.out.file = file; r.Err() == nil {
			t.Errorf("file %s was not synced", j.out.name)
		}
		r.Close()
	}
}

// A disk that takes the first part of a flush and no more has what it took: that is
// what the run counts as kept, and the rest as lost.
func TestHalfFlushIsCounted(t *testing.T) {
	w, s := newWorld(1, 30000), newStore(t)
	r := begin(t, s, Settings{FlushEvery: time.Hour, SyncEvery: -1, MinFree: -1})
	r.Record(w.sighting())
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	const more = 60000
	for range more {
		r.Record(w.sighting())
	}
	r.Record(&record.Query{Node: w.node()})
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	took := make(chan []byte)
	go func() { took <- firstChunk(in) }()
	file := r.contacts.out.file
	r.contacts.out.file = out
	err = r.Flush()
	r.contacts.out.file = file
	head := appendHead(nil, sortTallies, r.ID())
	on := content{seen: map[kad.NodeInfo]int{}}
	on.add(dataFile{sort: sortTallies}, framesOf(append(head, <-took...)))
	var seen uint64
	for _, n := range on.seen {
		seen += uint64(n)
	}
	kept, lost := r.kept[record.KindSighting]-1, r.lost[record.KindSighting].Load()
	if err == nil || kept != seen || lost != more-seen || seen == 0 || lost == 0 || r.lost[record.KindQuery].Load() != 1 {
		t.Errorf("of %d sightings %d were taken; %d are said to be kept, %d lost: %v", more, seen, kept, lost, err)
	}
	if tallies := uint64(len(on.seen)); r.tallied != 1+tallies {
		t.Errorf("%d tallies are said to be kept, want %d", r.tallied, 1+tallies)
	}
	r.Close()
}

// firstChunk reads the frames that are written at once, and then closes.
func firstChunk(in *os.File) (all []byte) {
	defer in.Close()
	for len(all) < sortedChunk {
		head := make([]byte, frameHead)
		if _, err := io.ReadFull(in, head); err != nil {
			return all
		}
		length, _ := frameLength(head)
		body := make([]byte, length-frameHead)
		if _, err := io.ReadFull(in, body); err != nil {
			return all
		}
		all = append(append(all, head...), body...)
	}
	return all
}

// A contact that two runs saw last at one time is of the one that began later, and
// judged when that ended.
func TestLaterRunSawItLast(t *testing.T) {
	w, s := newWorld(1, 1), newStore(t)
	sighting := w.sighting()
	var runs []RunID
	for range 3 {
		r := begin(t, s, Settings{})
		r.Record(sighting)
		finish(t, r)
		runs = append(runs, r.ID())
	}
	c := contactsOf(t, s, Filter{})[sighting.Node]
	if ended := s.run(runs[2]).Manifest.End; c.Run != runs[2] || c.Judged != StampOf(ended) || c.Runs != 3 {
		t.Errorf("it is of run %v, %d runs, judged %v; want %v, %v", c.Run, c.Runs, c.Judged.Time(), runs[2], ended)
	}
}

// A head says what it is of.
func TestHeadIsChecked(t *testing.T) {
	for sort := sortTallies; sort <= sortRows; sort++ {
		head := appendHead(nil, sort, RunID{1})
		for as := sortTallies; as <= sortRows; as++ {
			if err := checkHead(head, as); (err == nil) != (as == sort) || err != nil && !errors.Is(err, errSort) {
				t.Errorf("a head of sort %d is read as one of %d: %v", sort, as, err)
			}
		}
		if err := checkHead(head[:headSize-1], sort); !errors.Is(err, errHead) {
			t.Errorf("half a head: %v", err)
		}
		if head[len(headMagic)]++; !errors.Is(checkHead(head, sort), errNewer) {
			t.Error("a newer head is read")
		}
		if head[0]++; !errors.Is(checkHead(head, sort), errHead) {
			t.Error("a head that is none is read")
		}
	}
}
