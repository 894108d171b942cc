package dataset

// merged is a cursor over several, whose tallies of one contact it merges: those
// of an earlier cursor first.
type merged struct {
	heads []head // a heap, the least first
	tally Tally
	begun bool
	all   []cursor
}

type head struct {
	key   key
	tally *Tally
	rank  int // of its cursor among all
	from  cursor
}

func (h *head) before(o *head) bool {
	if c := h.key.compare(&o.key); c != 0 {
		return c < 0
	}
	return h.rank < o.rank
}

func newMerged(all []cursor) *merged { return &merged{all: all} }

// begin reads the first tally of each.
func (m *merged) begin() error {
	m.begun = true
	for rank, c := range m.all {
		t, err := c.next()
		if err != nil {
			return err
		}
		if t != nil {
			m.heads = append(m.heads, head{keyOf(t.Node), t, rank, c})
		}
	}
	for i := len(m.heads)/2 - 1; i >= 0; i-- {
		m.sink(i)
	}
	return nil
}

// sink moves a head that is too near to the top down to where it belongs.
func (m *merged) sink(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(m.heads); child++ {
			if m.heads[child].before(&m.heads[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		m.heads[i], m.heads[least] = m.heads[least], m.heads[i]
		i = least
	}
}

// first returns the least tally there is, and the rank of its cursor; nil at the
// end. It is valid until pass, which goes on.
func (m *merged) first() (*Tally, int, error) {
	if !m.begun {
		if err := m.begin(); err != nil {
			return nil, 0, err
		}
	}
	if len(m.heads) == 0 {
		return nil, 0, nil
	}
	return m.heads[0].tally, m.heads[0].rank, nil
}

func (m *merged) pass() error {
	h := &m.heads[0]
	t, err := h.from.next()
	switch {
	case err != nil:
		return err
	case t == nil:
		n := len(m.heads) - 1
		m.heads[0] = m.heads[n]
		m.heads = m.heads[:n]
	default:
		h.key, h.tally = keyOf(t.Node), t
	}
	if len(m.heads) > 1 {
		m.sink(0)
	}
	return nil
}

func (m *merged) next() (*Tally, error) {
	t, _, err := m.first()
	if t == nil {
		return nil, err
	}
	m.tally = *t
	for {
		if err := m.pass(); err != nil {
			return nil, err
		}
		t, _, err := m.first()
		if err != nil {
			return nil, err
		}
		if t == nil || t.Node != m.tally.Node {
			return &m.tally, nil
		}
		m.tally.Merge(t)
	}
}

func (m *merged) close() {
	for _, c := range m.all {
		c.close()
	}
}
