package export

import (
	"bufio"
	"errors"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
)

// A pipeline cuts batches into pieces, encodes them on several goroutines and
// writes them in order on one more:
//
//	Write ── pieces, in order ──────────────────────────► write, ─► io.Writer
//	   └───► work ─► encode, on up to 4 goroutines ─► ready ┘   └─► free ─► Write
//
// There is a fixed number of pieces, each with its buffer: when all are under way,
// Write waits. So memory is bounded whatever the table.

const (
	pieceRows    = BatchRows / 8 // some 100 kB of a wide table
	piecesEach   = 8             // pieces for each goroutine: some batches at most
	encoders     = 4             // at most; one writer cannot keep up with more
	smallestSend = 64 << 10      // bytes that are worth a write
)

var errClosed = errors.New("write to a table that is closed")

type pipeline struct {
	layout *layout
	out    *bufio.Writer

	// Write and Close own these.
	begun  bool // the goroutines run
	rows   bool // there was a row
	closed bool

	free, order, work chan *piece // each has room for all pieces
	running           sync.WaitGroup

	failed atomic.Pointer[error] // of the first write that went wrong
}

// piece is some rows of a batch on their way.
type piece struct {
	batch    *Batch
	from, to int
	first    bool          // of the table
	left     *atomic.Int32 // pieces of the batch that are not encoded yet
	text     []byte        // the rows, encoded
	ready    chan struct{} // text may be read; one place
}

func newPipeline(w io.Writer, l *layout) *pipeline {
	return &pipeline{layout: l, out: bufio.NewWriterSize(w, smallestSend)}
}

// begin starts the goroutines, with the first row, so that a table without any
// costs none.
func (p *pipeline) begin() {
	n := min(runtime.GOMAXPROCS(0), encoders)
	pieces := n * piecesEach
	p.free, p.order, p.work = make(chan *piece, pieces), make(chan *piece, pieces), make(chan *piece, pieces)
	for range pieces {
		p.free <- &piece{ready: make(chan struct{}, 1)}
	}
	for range n {
		p.running.Go(p.encode)
	}
	p.running.Go(p.write)
	p.begun = true
}

// Write takes a batch over. It returns the error of an earlier batch if there was
// one.
func (p *pipeline) Write(b *Batch) error {
	err := p.err()
	if err == nil && p.closed {
		err = errClosed
	}
	if err == nil {
		err = p.layout.schema.fits(b)
		p.fail(err)
	}
	if err != nil || b.Len == 0 {
		b.Release()
		return err
	}
	if !p.begun {
		p.begin()
	}
	p.cut(b)
	return nil
}

// cut sends a batch on its way in pieces.
func (p *pipeline) cut(b *Batch) {
	rows, left := b.Len, &atomic.Int32{} // b is not ours any more after its last piece
	left.Store(int32((rows + pieceRows - 1) / pieceRows))
	for from := 0; from < rows; from += pieceRows {
		x := <-p.free
		x.batch, x.from, x.to, x.left = b, from, min(from+pieceRows, rows), left
		x.first, p.rows = !p.rows, true
		p.order <- x
		p.work <- x
	}
}

// encode encodes pieces until there are no more. Whoever encodes the last piece of
// a batch releases it.
func (p *pipeline) encode() {
	for x := range p.work {
		x.text = x.text[:0]
		if p.err() == nil {
			x.text = p.layout.appendRows(x.text, x.batch, x.from, x.to, x.first)
		}
		if x.left.Add(-1) == 0 {
			x.batch.Release()
		}
		x.batch = nil
		x.ready <- struct{}{}
	}
}

// write writes pieces in their order until there are no more. After an error it
// only lets them pass.
func (p *pipeline) write() {
	for x := range p.order {
		<-x.ready
		if p.err() == nil {
			_, err := p.out.Write(x.text)
			p.fail(err)
		}
		p.free <- x
	}
}

// Close writes the rest and waits until the goroutines have ended.
func (p *pipeline) Close() error {
	if p.closed {
		return p.err()
	}
	p.closed = true
	if p.begun {
		close(p.work)
		close(p.order)
		p.running.Wait()
	}
	end := p.layout.tail
	if !p.rows {
		end = p.layout.empty
	}
	if p.err() == nil {
		p.out.WriteString(end)
		p.fail(p.out.Flush())
	}
	return p.err()
}

// fail keeps the first error.
func (p *pipeline) fail(err error) {
	if err != nil {
		p.failed.CompareAndSwap(nil, &err)
	}
}

func (p *pipeline) err() error {
	if err := p.failed.Load(); err != nil {
		return *err
	}
	return nil
}
