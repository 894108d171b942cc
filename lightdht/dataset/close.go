package dataset

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"time"
)

// Checkpoint writes the manifest, and the contacts to begin with, as they are now. It
// is done now and then; who learns what the manifest should tell may ask for it.
func (r *Run) Checkpoint() {
	defer r.complain()
	r.flushing.Lock()
	defer r.flushing.Unlock()
	if err := errors.Join(r.writeManifest(), r.writeGood()); err != nil && r.Err() == nil {
		r.stop(err)
	}
}

// noteRows puts into the manifest how many rows there are, once there are any: that
// there are none is known at the end.
func (r *Run) noteRows() {
	r.mu.Lock()
	known := r.closed || r.kept != perKind{}
	r.mu.Unlock()
	if !known {
		return
	}
	rows := map[string]uint64{"tallies": r.tallied}
	for _, kind := range kinds {
		rows[kind.String()] = r.kept[kind]
	}
	r.manifest.Rows = rows
}

// writeManifest writes the manifest. Its maps are made anew, as others fill them.
func (r *Run) writeManifest() error {
	m := &r.manifest
	r.noteRows()
	m.Drops, m.Counters = map[string]uint64{}, map[string]uint64{}
	if r.set.Describe != nil {
		r.set.Describe(m)
	}
	maps.Copy(m.Drops, r.drops())
	m.Files = r.files()
	return m.write(r.dir)
}

// drops are the store's own counters of what was dropped.
func (r *Run) drops() map[string]uint64 {
	d := map[string]uint64{}
	d["store_lost_others"] = r.lost[0].Load()
	for _, kind := range kinds {
		d["store_lost_"+kind.String()] = r.lost[kind].Load()
	}
	r.mu.Lock()
	d["store_cut"] = r.cuts
	r.mu.Unlock()
	return d
}

// files lists the files that are complete.
func (r *Run) files() []File {
	all := append([]File{}, r.done...)
	sorted, last := r.sorter.now()
	for _, file := range r.unsorted {
		if file.number > last {
			all = append(all, file.File)
		}
	}
	return append(all, sorted...)
}

// writeGood writes the contacts that the next run can begin with.
func (r *Run) writeGood() error {
	if r.set.Good == nil {
		return nil
	}
	h := newHeap()
	for _, c := range r.set.Good() {
		t := TallyOf(c)
		h.merge(&t)
	}
	if len(h.tallies) == 0 {
		return nil
	}
	_, err := writeSorted(r.dir, goodFile, r.id, 0, h.sorted())
	return err
}

// Close ends the run: all that was recorded is on disk, sorted, and its manifest
// complete. The error is that of Err, or what kept the end from being written.
// Nothing that is recorded afterwards is kept. Closing it again returns Err.
func (r *Run) Close() error {
	r.mu.Lock()
	was := r.closed
	r.closed = true
	r.mu.Unlock()
	if was {
		return r.Err()
	}
	defer r.complain()
	close(r.end)
	r.working.Wait()
	r.flushing.Lock()
	defer r.flushing.Unlock()
	r.flush()
	m := &r.manifest
	unsorted := r.finish()
	if unsorted != nil {
		m.Error = unsorted.Error() // Compact sorts what is left
	}
	err := errors.Join(unsorted, r.writeGood())
	m.State, m.End = Ended, time.Now().UTC().Round(0).Truncate(time.Microsecond)
	if stopped := r.Err(); stopped != nil {
		m.State, m.Error = Stopped, stopped.Error()
	}
	err = errors.Join(err, r.writeManifest(), syncFolder(r.dir))
	if stopped := r.Err(); stopped != nil {
		err = stopped // what else goes wrong then follows from it
	}
	os.Remove(filepath.Join(r.dir, lockFile)) // its name alone: who has it open still finds it free
	r.lock.Close()
	return err
}

// finish ends the files, and has the last one of tallies sorted.
func (r *Run) finish() error {
	entry, ok, err := r.contacts.finish()
	if ok {
		r.unsorted = append(r.unsorted, numbered{entry, r.contacts.number})
		r.sorter.add(r.contacts.number)
	}
	entry, ok, other := r.others.finish()
	if ok {
		r.done = append(r.done, entry)
	}
	return errors.Join(err, other, r.sorter.wait())
}
