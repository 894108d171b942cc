package export

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/lightdht/lightdht/lightdht/pseudonym"
)

// Shared returns the columns of s that may be shared: all but the private ones.
func (s Schema) Shared() Schema {
	shared := make(Schema, 0, len(s))
	for _, c := range s {
		if !c.Private {
			shared = append(shared, c)
		}
	}
	return shared
}

// Share returns a writer of rows of schema s that hands them to another, of schema
// s.Shared(), with pseudonyms under key in the place of each ID, Hash and Addr.
// Times are cut to whole minutes, as their order can tell that of distances. What is
// absent stays absent, and all else stays as it is, texts among them: a column of
// texts that name somebody is private.
//
// A batch that is written gives the vectors that are shared away, takes empty ones
// for them, and is released at once with as many as it had. So it goes back to the
// pool it came from as it left it, and what is handed on is a batch of another
// pool. The values themselves are not copied but changed in their place.
//
// Several batches are worked on at once, each by a goroutine that lives as long as
// its batch: it waits for its turn before it hands it on. So nothing is left behind
// by a writer that is not closed, either, once the other has returned. An error of
// the other is told by a Write some batches later, or by Close, and no batch behind
// the one that it was about is handed on. Close always closes the other.
func Share(to Writer, s Schema, key *pseudonym.Key) Writer {
	shared := s.Shared()
	return &sharer{
		to:     to,
		key:    key,
		schema: s,
		empty:  shared.Pool(),
		most:   runtime.GOMAXPROCS(0) + 1, // one may be waiting for the other writer
	}
}

// sharer is what Share returns. Its fields belong to whoever calls Write and
// Close; the goroutines have the turn that they were given.
type sharer struct {
	to     Writer
	key    *pseudonym.Key
	schema Schema
	empty  func() *Batch // of the columns that are shared

	turns []*turn // under way, the oldest first
	most  int     // of them
	err   error   // the first, final
}

// turn is a batch under way.
type turn struct {
	done chan struct{}
	err  error // of this turn or one before; to be read when done
}

// Write is that of Writer.
func (w *sharer) Write(b *Batch) error {
	for len(w.turns) >= w.most {
		w.finish()
	}
	if w.err == nil {
		w.err = w.schema.check(b)
	}
	if w.err != nil {
		b.Release()
		return w.err
	}
	w.start(w.take(b))
	return nil
}

// Close is that of Writer.
func (w *sharer) Close() error {
	for len(w.turns) > 0 {
		w.finish()
	}
	if err := w.to.Close(); w.err == nil {
		w.err = err
	}
	return w.err
}

// check tells of a batch that is not of the schema: what is taken for another
// column would be shared as it is.
func (s Schema) check(b *Batch) error {
	if len(b.Cols) != len(s) {
		return fmt.Errorf("share: a batch of %d columns, where the schema has %d", len(b.Cols), len(s))
	}
	for i, c := range s {
		if got := b.Cols[i].Type; got != c.Type {
			return fmt.Errorf("share: column %s is of type %s, not %s", c.Name, got, c.Type)
		}
	}
	return nil
}

// take moves the rows of b to a batch of the columns that are shared, and releases b.
func (w *sharer) take(b *Batch) *Batch {
	out, n := w.empty(), 0
	out.Len = b.Len
	for i, c := range w.schema {
		if !c.Private {
			out.Cols[n], b.Cols[i] = b.Cols[i], out.Cols[n]
			n++
		}
	}
	b.Release()
	return out
}

// start sends a batch on its way.
func (w *sharer) start(b *Batch) {
	var before *turn
	if n := len(w.turns); n > 0 {
		before = w.turns[n-1]
	}
	t := &turn{done: make(chan struct{})}
	w.turns = append(w.turns, t)
	go t.run(w.to, w.key, b, before)
}

// finish waits for the oldest batch under way.
func (w *sharer) finish() {
	t := w.turns[0]
	w.turns = slices.Delete(w.turns, 0, 1)
	<-t.done
	if w.err == nil {
		w.err = t.err
	}
}

// run disguises a batch and hands it on when that before it, if any, has been.
func (t *turn) run(to Writer, key *pseudonym.Key, b *Batch, before *turn) {
	defer close(t.done)
	for i := range b.Cols {
		b.Cols[i].disguise(key)
	}
	if before != nil {
		<-before.done
		t.err = before.err
	}
	if t.err != nil {
		b.Release()
		return
	}
	t.err = to.Write(b)
}

// disguise puts pseudonyms in the place of values. What is behind an absent one,
// which may be anything, is cleared.
func (v *Vector) disguise(key *pseudonym.Key) {
	switch v.Type {
	case ID:
		disguiseAll(v.IDs, v.Null, key.ID)
	case Hash:
		disguiseAll(v.IDs, v.Null, key.Hash)
	case Addr:
		disguiseAll(v.Addrs, v.Null, key.Addr)
	case Time:
		disguiseAll(v.Ints, v.Null, func(at int64) int64 { return at - at%minute })
	}
}

func disguiseAll[T any](values []T, null []bool, standIn func(T) T) {
	for i, value := range values {
		if null[i] {
			clear(values[i : i+1])
			continue
		}
		values[i] = standIn(value)
	}
}
