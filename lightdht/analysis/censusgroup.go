package analysis

import (
	"iter"
	"strings"
)

// countAll counts what a slab has by ID or by address, and returns how many different
// contacts it has, and how many of them answered. By address it marks those that are
// not alone at theirs, by ID, and after that, those that stand for one.
func (s *slab) countAll(by Counting, d *dictionary, all bool) (h *headcount, contacts, answered int) {
	h = newHeadcount()
	var m member
	flush := func() {
		if m.best != nil && !(by == ByAddress && m.best.is(invalid)) {
			h.add(&m, d, all)
		}
		if m.best != nil && by == ByID {
			m.settle()
		}
		m = member{}
	}
	var last *censusRow
	for r := range s.contacts(by, d) {
		contacts++
		if r.answered() {
			answered++
		}
		if last != nil && last.compare(r, by) != 0 {
			flush()
		} else if last != nil && by == ByAddress && !r.is(invalid) {
			last.about |= crowded
			r.about |= crowded
		}
		m.join(r, d)
		last = r
	}
	flush()
	return h, contacts, answered
}

// contacts yields the contacts of a slab, those of one ID or address together. Of
// rows that are of one contact the best one is taken for all, with the extensions of
// all.
func (s *slab) contacts(by Counting, d *dictionary) iter.Seq[*censusRow] {
	return func(yield func(*censusRow) bool) {
		keys := s.order(by)
		for i := 0; i < len(keys); {
			best := s.at(keys[i].at)
			seen, about := best.beps, best.about
			for i++; i < len(keys) && s.at(keys[i].at).compareContact(best) == 0; i++ {
				other := s.at(keys[i].at)
				seen |= other.beps
				about |= other.about
				if d.better(other, best) {
					best = other
				}
			}
			best.beps |= seen
			best.about |= about
			if !yield(best) {
				return
			}
		}
	}
}

// countRuns counts what each run saw. Rows of no run are those of one.
func countRuns(rows iter.Seq2[*Contact, error], d *dictionary, all bool) ([]*headcount, error) {
	if rows == nil {
		return nil, nil
	}
	var runs []*headcount
	numbers := newSymbols[string]()
	byNumber := map[uint32]*headcount{}
	for c, err := range rows {
		if err != nil {
			return nil, err
		}
		n := numbers.of(c.Run, strings.Clone)
		h := byNumber[n]
		if h == nil {
			h = newHeadcount()
			byNumber[n] = h
			runs = append(runs, h)
		}
		r := d.row(c)
		m := member{}
		m.join(&r, d)
		h.add(&m, d, all)
	}
	return runs, nil
}
