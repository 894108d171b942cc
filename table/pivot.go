package table

// Where a search in a b-tree begins is an entry like any other, so a position
// at the upper end of their range stands for a pivot. Two are enough for zones
// of up to 64 bits: before and after all that share the 64 bits of the entry.
// A longer zone needs a pivot with a whole ID, which a search borrows from a
// small supply: it takes IDs that share more than 64 bits to need one.

const (
	deepPivots = 64

	afterAll   = ^uint32(0)
	beforeAll  = afterAll - 1
	firstPivot = beforeAll - 2*deepPivots // then a before and an after for each deep one
)

// pivots is the supply of a table. Whoever borrows one owns it.
type pivots struct {
	ids  *[deepPivots]point
	free chan uint32
}

func newPivots() pivots {
	p := pivots{ids: new([deepPivots]point), free: make(chan uint32, deepPivots)}
	for i := range uint32(deepPivots) {
		p.free <- i
	}
	return p
}

// borrow waits for a pivot. Nobody holds one while waiting for anything else.
func (p *pivots) borrow() uint32 { return <-p.free }

func (p *pivots) giveBack(i uint32) { p.free <- i }

// before sets pivot i to just before all contacts with this ID, and returns
// its position; after, to just after them.
func (p *pivots) before(i uint32, id point) uint32 {
	p.ids[i] = id
	return firstPivot + 2*i
}

func (p *pivots) after(i uint32, id point) uint32 { return p.before(i, id) + 1 }

// less is the order of two positions of entries that share 64 bits, of which
// at least one is a pivot.
func (p *pivots) less(a, b uint32, s *slab) bool {
	switch {
	case a == beforeAll || b == afterAll:
		return true
	case b == beforeAll || a == afterAll:
		return false
	}
	idA, sideA := p.place(a, s)
	idB, sideB := p.place(b, s)
	if c := idA.compare(idB); c != 0 {
		return c < 0
	}
	return sideA < sideB
}

// place returns the ID at a position, and -1 or +1 for a pivot before or after
// those with that ID.
func (p *pivots) place(pos uint32, s *slab) (id point, side int) {
	if pos < firstPivot {
		return pointOf(s.at(pos).id), 0
	}
	i := pos - firstPivot
	return p.ids[i/2], 2*int(i%2) - 1
}
