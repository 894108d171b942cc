package lightdht

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/lightdht/lightdht/table"
)

// seed puts contacts on the lists to begin with, asking the bootstrap nodes when
// we know nobody who answered once and is not bad.
func (l *lookup) seed(ctx context.Context) error {
	l.fill()
	strangers := l.strangers()
	switch {
	case strangers == 0:
		return nil
	case strangers == len(l.lists):
		return l.introduce(ctx)
	}
	if due := time.Unix(0, l.n.introduced.Load()).Add(introduceAgain); time.Now().After(due) {
		brief, cancel := context.WithTimeout(ctx, firstPatience) // one family is well; the other may not even have a way out
		defer cancel()
		l.n.introduceOnce(brief, l.n.places())
		l.fill()
	}
	return nil
}

// introduceAgain is the time between two tries to get to know somebody of a
// family while the other one is well.
const introduceAgain = time.Minute

// introduce asks the bootstrap nodes and puts whom they named on the lists. Its
// error counts only if nobody answers without them.
func (l *lookup) introduce(ctx context.Context) error {
	l.introduced = true
	l.trouble = l.n.introduce(ctx)
	l.fill()
	switch {
	case ctx.Err() != nil || l.n.ctx.Err() != nil:
		return l.trouble
	case l.any((*shortlist).len):
		return nil
	case l.trouble != nil:
		return l.trouble
	case len(l.n.places()) > 0:
		return fmt.Errorf("the bootstrap nodes answered, but named nobody: %w", ErrNoNodes)
	}
	return ErrNoNodes
}

// strangers counts the families of which we know nobody who answered once and is
// not bad.
func (l *lookup) strangers() (n int) {
	for _, e := range l.ends {
		known := table.Filter{Now: l.began, States: table.StateGood | table.StateQuestionable, Answered: true, Public: true}
		if len(e.table().AppendNearest(nil, l.res.Target, 1, known)) == 0 {
			n++
		}
	}
	return n
}

// maxRefills is how many times a lookup that nobody has answered goes on to
// contacts farther away.
const maxRefills = 8

// again goes on after a walk that nobody answered: first to the bootstrap nodes,
// then to contacts farther away. It reports whether there is anybody to ask.
func (l *lookup) again(ctx context.Context) (bool, error) {
	if l.left || l.res.Answered > 0 || l.refills == maxRefills {
		return false, nil
	}
	l.refills++
	if !l.introduced && len(l.n.places()) > 0 {
		if err := l.introduce(ctx); err != nil {
			return false, err
		}
	} else {
		l.fill()
	}
	return l.any((*shortlist).unasked), nil
}

// any reports whether a count is above zero for some list.
func (l *lookup) any(count func(*shortlist) int) bool {
	return slices.ContainsFunc(l.ends, func(e *endpoint) bool { return count(l.lists[e.family]) > 0 })
}

// fill puts on each list the nearest good contacts that are not on it, then
// others that answered once, then any, and if there are none at all even bad
// ones.
func (l *lookup) fill() {
	now := time.Now()
	for _, e := range l.ends {
		want := max(2*l.cfg.Width, 16)
		l.fillFrom(e, want, table.Filter{Now: now, States: table.StateGood})
		l.fillFrom(e, want, table.Filter{Now: now, States: table.StateQuestionable, Answered: true})
		l.fillFrom(e, want, table.Filter{Now: now, States: table.StateQuestionable})
		if len(l.lists[e.family].list) == 0 {
			l.fillFrom(e, want, table.Filter{Now: now, States: table.StateBad})
		}
	}
}

// fillFrom adds the nearest contacts of one end that f passes until its list
// holds want that can be asked.
func (l *lookup) fillFrom(e *endpoint, want int, f table.Filter) {
	list := l.lists[e.family]
	f.Public, f.Distinct = true, true
	if len(list.list) > 0 || !f.Answered && !l.n.private {
		f.Match = func(c table.Contact) bool { return !list.addrs[c.Addr] && !l.n.inVain(c, f.Now) }
	}
	for _, c := range e.table().AppendNearest(nil, l.res.Target, want-list.unasked(), f) {
		if l.n.askable(c.Addr) { // a table may hold, and be fed with, anybody
			list.add(c.Info(), 1)
		}
	}
}
