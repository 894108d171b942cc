package dataset

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/lightdht/lightdht/lightdht/record"
)

// journal is the files of one sort that a run writes, one after the other. Its
// user sees to it that one goroutine is in it at a time, but for sync.
type journal struct {
	dir  string
	sort fileSort
	run  RunID
	most int64 // bytes of a file

	number int      // of the latest file
	out    *outFile // that is open; nil: none
	rows   uint64   // in it
}

// write appends frames with so many rows.
func (j *journal) write(frames []byte, rows uint64) error {
	if j.out == nil {
		j.number++
		out, err := createOut(j.dir, logName(j.sort, j.number), j.sort, j.run, 0)
		if err != nil {
			j.number--
			return err
		}
		j.out, j.rows = out, 0
	}
	if err := j.out.write(frames); err != nil {
		return err
	}
	j.rows += rows
	return nil
}

func (j *journal) full() bool { return j.out != nil && j.out.size >= j.most }

// finish ends the open file, if there is one.
func (j *journal) finish() (entry File, ok bool, err error) {
	if j.out == nil {
		return File{}, false, nil
	}
	entry = j.out.entry(j.rows)
	err = j.out.finish()
	j.out = nil
	return entry, true, err
}

// Flush hands what was recorded until now to the kernel: from then on the end of
// this program, whatever it be, takes nothing away. The error is that of Err.
func (r *Run) Flush() error {
	defer r.complain()
	r.flushing.Lock()
	defer r.flushing.Unlock()
	r.flush()
	return r.Err()
}

// flush is Flush for who holds the files.
func (r *Run) flush() {
	if r.Err() != nil {
		return
	}
	heap, frames, rows := r.exchange()
	left, err := uint64(0), r.size.room(heap, frames, r.contacts, r.others)
	if err == nil {
		left, err = r.writeTallies(heap)
	} else {
		left = rows[record.KindSighting]
	}
	r.kept[record.KindSighting] += rows[record.KindSighting] - left
	if err == nil && len(frames) > 0 {
		err = r.others.write(frames, rows.framed(r.set.KeepSightings))
	}
	heap.clear()
	r.mu.Lock()
	r.spare, r.room = heap, frames
	r.mu.Unlock()
	rows[record.KindSighting] = left
	if err != nil {
		r.lose(rows)
		r.stop(err)
		return
	}
	r.kept.add(rows)
	r.noteRows()
	if err = r.size.wrote(r.contacts, r.others); err == nil {
		err = r.rotate()
	}
	if err != nil {
		r.stop(err)
	}
}

// exchange takes what waits to be written, and has others wait elsewhere.
func (r *Run) exchange() (*heap, []byte, perKind) {
	r.mu.Lock()
	defer r.mu.Unlock()
	full, rows := r.heap, r.waiting
	r.heap, r.spare, r.waiting = r.spare, nil, perKind{}
	return full, r.rows.take(r.room), rows
}

// writeTallies encodes and writes tallies, a megabyte at a time. When that fails
// it returns how many sightings are left.
func (r *Run) writeTallies(h *heap) (left uint64, err error) {
	w, from := r.tallies, 0
	w.buf = w.buf[:0]
	for i := range h.tallies {
		base := w.open(h.tallies[i].First)
		w.buf = h.tallies[i].append(w.buf, base)
		last := i == len(h.tallies)-1
		w.settle(last)
		if w.from >= 0 || len(w.buf) < sortedChunk && !last {
			continue
		}
		rows := uint64(i + 1 - from)
		if err := r.contacts.write(w.buf, rows); err != nil {
			return sightings(h.tallies[from:]), err
		}
		r.tallied += rows
		w.buf, from = w.buf[:0], i+1
	}
	return 0, nil
}

// rotate ends files that are full, and has those of tallies sorted.
func (r *Run) rotate() error {
	if r.contacts.full() {
		entry, _, err := r.contacts.finish()
		if err != nil {
			return err
		}
		r.unsorted = append(r.unsorted, numbered{entry, r.contacts.number})
		r.sorter.add(r.contacts.number)
	}
	if r.others.full() {
		entry, _, err := r.others.finish()
		if err != nil {
			return err
		}
		r.done = append(r.done, entry)
	}
	return nil
}

// flushEvery flushes again and again, and now and then writes the manifest.
func (r *Run) flushEvery() {
	tick := time.NewTicker(r.set.FlushEvery)
	defer tick.Stop()
	checkpoint := time.NewTicker(r.set.CheckpointEvery)
	defer checkpoint.Stop()
	for {
		select {
		case <-tick.C:
		case <-r.kick:
		case <-checkpoint.C:
			r.Checkpoint()
			continue
		case <-r.end:
			return
		}
		r.Flush()
	}
}

// syncEvery has the system write to the disk what it was handed.
func (r *Run) syncEvery() {
	if r.set.SyncEvery < 0 {
		return
	}
	tick := time.NewTicker(r.set.SyncEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.sync()
		case <-r.end:
			return
		}
	}
}

// sync syncs the open files, which others may write to meanwhile.
func (r *Run) sync() {
	defer r.complain()
	r.flushing.Lock()
	var open []*os.File
	for _, j := range []*journal{r.contacts, r.others} {
		if j.out != nil {
			open = append(open, j.out.file)
		}
	}
	r.flushing.Unlock()
	if err := syncFolder(r.dir); err != nil { // of files that are new
		r.stop(err)
	}
	for _, file := range open {
		if err := file.Sync(); err != nil && !errors.Is(err, os.ErrClosed) {
			r.stop(err)
		}
	}
}

// Sync is Flush, and has the system write to the disk what it was handed.
func (r *Run) Sync() error {
	if err := r.Flush(); err != nil {
		return err
	}
	r.sync()
	return r.Err()
}

// spaceWatch says when a store, or the disk that it is on, is full.
type spaceWatch struct {
	dir      string
	set      Settings
	measured time.Time
	base     int64 // size of the store when it was measured
	since    int64 // bytes of our files then
}

// measureEvery is the time between two measurements of a store with a limit; in
// between our own files are added.
const measureEvery = 10 * time.Second

func (w *spaceWatch) begin(dir string, set Settings) { w.dir, w.set = dir, set }

// check measures.
func (w *spaceWatch) check() error {
	if w.set.MaxBytes > 0 {
		w.base = folderSize(w.dir)
	}
	w.measured = time.Now()
	return w.judge(w.base)
}

func (w *spaceWatch) judge(size int64) error {
	if w.set.MaxBytes > 0 && size >= w.set.MaxBytes {
		return fmt.Errorf("%s has %d bytes, and its limit is %d", w.dir, size, w.set.MaxBytes)
	}
	if free := freeSpace(w.dir); w.set.MinFree > 0 && free >= 0 && free < w.set.MinFree {
		return fmt.Errorf("%s: %d bytes of the disk are free, and %d are to be left free", w.dir, free, w.set.MinFree)
	}
	return nil
}

// room judges whether what is to be written would go beyond a limit: a tally as what
// one usually takes.
func (w *spaceWatch) room(h *heap, frames []byte, journals ...*journal) error {
	if w.set.MaxBytes <= 0 {
		return nil
	}
	size := w.base - w.since + int64(len(h.tallies))*usualTally + int64(len(frames))
	for _, j := range journals {
		size += j.written()
	}
	if size > w.set.MaxBytes {
		return fmt.Errorf("%s would have %d bytes, and its limit is %d", w.dir, size, w.set.MaxBytes)
	}
	return nil
}

const usualTally = 48 // bytes

// wrote judges after a write.
func (w *spaceWatch) wrote(journals ...*journal) error {
	if time.Since(w.measured) >= measureEvery {
		err := w.check()
		w.since = 0
		for _, j := range journals {
			w.since += j.written()
		}
		return err
	}
	size := w.base - w.since
	for _, j := range journals {
		size += j.written()
	}
	return w.judge(size)
}

// written returns about how many bytes were ever written.
func (j *journal) written() int64 {
	n := int64(max(j.number-1, 0)) * j.most
	if j.out != nil {
		n += j.out.size
	}
	return n
}
