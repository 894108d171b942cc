package dataset

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/table"
)

// Settings say how a run is kept. The zero Settings are good.
type Settings struct {
	FlushEvery time.Duration // rows are handed to the kernel at least so often; 0: 200 ms
	SyncEvery  time.Duration // and from there to the disk; 0: 5 s; below 0: at the end alone

	KeepSightings bool // keep each sighting besides the tallies, with who told
	RawInfohashes bool // keep infohashes as they are, not hashed

	MaxBytes int64 // size of the whole store at which the journal stops; 0: no limit
	MinFree  int64 // free space of the disk below which it stops; 0: 256 MiB; below 0: no limit

	// Trouble is told once why the journal stopped, if it does; nil: nobody. It may
	// use the run, but not close it.
	Trouble func(error)

	// Describe fills in what a manifest says besides: vantages, drops, counters,
	// clock steps. Good returns contacts that the next run can begin with. Both are
	// asked every CheckpointEvery, and at the end; nil: nobody. The files are locked
	// then: they may not flush, sync or close the run.
	Describe        func(*Manifest)
	Good            func() []table.Contact
	CheckpointEvery time.Duration // 0: 10 s

	segment int64 // bytes after which a file is ended; 0: 16 MiB
}

func (s Settings) withDefaults() Settings {
	s.FlushEvery = or(s.FlushEvery, 200*time.Millisecond)
	s.CheckpointEvery = or(s.CheckpointEvery, 10*time.Second)
	if s.SyncEvery == 0 {
		s.SyncEvery = 5 * time.Second
	}
	if s.MinFree == 0 {
		s.MinFree = 256 << 20
	}
	s.segment = or(s.segment, 16<<20)
	return s
}

func or[T ~int64](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}

// Run is a run that is being written: the one writer of its folder. It is a
// [record.Recorder].
//
//	Record ─ tallies, rows ─ flush ─ contacts-N.log, rows-N.log ─ sync
//	                                   └ when full: sorted, merged with others
//
// When the disk is full, or fails, or a limit is reached, the journal stops: the
// files stay as they are, whole, Err says why, and what is recorded from then on is
// counted as lost.
type Run struct {
	id    RunID
	dir   string
	store *Store
	set   Settings
	lock  *os.File

	mu      sync.Mutex // guards what is to be written
	heap    *heap
	spare   *heap
	rows    *framer
	room    []byte // for rows to be framed into next
	names   names
	waiting perKind // rows
	cuts    uint64  // versions and texts that were cut
	closed  bool

	flushing sync.Mutex // guards the files
	contacts *journal
	others   *journal
	tallies  *framer // being encoded
	tallied  uint64  // written
	kept     perKind // rows that are written
	manifest Manifest
	done     []File     // of other rows that are full
	unsorted []numbered // of tallies that are full and perhaps not sorted yet

	err     atomic.Pointer[error]
	told    atomic.Bool // Trouble was told of it
	lost    [numKinds]atomic.Uint64
	size    spaceWatch
	kick    chan struct{}
	end     chan struct{}
	working sync.WaitGroup
	sorter  *sorter
}

// numbered is a file with its number.
type numbered struct {
	File
	number int
}

const numKinds = len(kinds) + 1

// perKind is a number of rows of each kind.
type perKind [numKinds]uint64

func (p *perKind) add(o perKind) {
	for kind := range p {
		p[kind] += o[kind]
	}
}

// framed returns how many of them are written one by one.
func (p *perKind) framed(sightings bool) (n uint64) {
	for kind, rows := range p {
		if sightings || record.Kind(kind) != record.KindSighting {
			n += rows
		}
	}
	return n
}

var kinds = [...]record.Kind{
	record.KindSighting, record.KindQuery, record.KindVisit, record.KindLookup, record.KindEstimate, record.KindEndpoint,
}

// Begin begins a run. The manifest tells what it is about; what the store knows
// itself is filled in.
func (s *Store) Begin(about Manifest, set Settings) (*Run, error) {
	id, err := NewRunID()
	if err != nil {
		return nil, err
	}
	r := &Run{
		id: id, dir: s.runDir(id), store: s, set: set.withDefaults(),
		heap: newHeap(), spare: newHeap(), rows: newFramer(id), tallies: newFramer(id),
		kick: make(chan struct{}, 1), end: make(chan struct{}),
	}
	r.manifest = r.about(about)
	if s.key == nil {
		return nil, fmt.Errorf("%s: its infohash_key is no key", filepath.Join(s.dir, storeFile))
	}
	r.size.begin(s.dir, r.set)
	if err := r.size.check(); err != nil {
		return nil, err
	}
	if err := r.open(); err != nil {
		return nil, err
	}
	r.sorter = newSorter(r.dir, r.id)
	r.sorter.tell = s.problem
	r.contacts = &journal{dir: r.dir, sort: sortTallies, run: id, most: r.set.segment}
	r.others = &journal{dir: r.dir, sort: sortRows, run: id, most: r.set.segment}
	r.working.Go(r.flushEvery)
	r.working.Go(r.syncEvery)
	return r, nil
}

// about completes what the manifest of a new run says.
func (r *Run) about(m Manifest) Manifest {
	m.Format, m.Run, m.Network, m.State = format, r.id, r.store.head.Network, Running
	m.Start, m.End = time.Now().UTC().Round(0).Truncate(time.Microsecond), time.Time{}
	m.KeepSightings, m.Infohashes = r.set.KeepSightings, "raw"
	m.Rows, m.Drops, m.Counters, m.Files = map[string]uint64{}, map[string]uint64{}, map[string]uint64{}, []File{}
	if !r.set.RawInfohashes {
		m.Infohashes = "hashed, key " + r.store.KeyFingerprint()
	}
	return m
}

// open makes the folder, with a manifest and a lock.
func (r *Run) open() (err error) {
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return err
	}
	for range 10 { // who mends may take it for one that crashed
		if r.lock, err = lock(filepath.Join(r.dir, lockFile)); !errors.Is(err, errLocked) {
			break
		}
	}
	if err == nil {
		err = errors.Join(r.manifest.write(r.dir), syncFolder(r.dir), syncFolder(r.store.runs()))
	}
	if err != nil {
		if r.lock != nil {
			r.lock.Close()
		}
		os.RemoveAll(r.dir)
	}
	return err
}

// ID returns the name of the run.
func (r *Run) ID() RunID { return r.id }

// Store returns the store that it belongs to.
func (r *Run) Store() *Store { return r.store }

// Err returns why the journal stopped; nil while it goes on.
func (r *Run) Err() error {
	if err := r.err.Load(); err != nil {
		return *err
	}
	return nil
}

// Lost returns how many rows were recorded and not kept.
func (r *Run) Lost() (n uint64) {
	for i := range r.lost {
		n += r.lost[i].Load()
	}
	return n
}

// stop stops the journal. What still waits is lost.
func (r *Run) stop(err error) {
	err = fmt.Errorf("the store takes no more: %w", err)
	if !r.err.CompareAndSwap(nil, &err) {
		return
	}
	r.mu.Lock()
	r.lose(r.waiting)
	r.waiting, r.rows.buf, r.rows.from = perKind{}, r.rows.buf[:0], -1
	r.heap.clear()
	r.mu.Unlock()
}

// complain tells Trouble why the journal stopped, if it did and nobody was told. It
// is called with no lock held.
func (r *Run) complain() {
	if err := r.Err(); err != nil && r.told.CompareAndSwap(false, true) && r.set.Trouble != nil {
		r.set.Trouble(err)
	}
}

// lose counts rows as lost.
func (r *Run) lose(rows perKind) {
	for kind, n := range rows {
		r.lost[kind].Add(n)
	}
}
