package lightdht

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/lightdht/lightdht/table"
)

// seed puts contacts on the lists to begin with, asking the bootstrap nodes when
// nobody that we know has ever answered.
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
	case slices.ContainsFunc(l.n.ends, func(e *endpoint) bool { return len(l.lists[e.family].list) > 0 }):
		return nil
	case l.trouble != nil:
		return l.trouble
	case len(l.n.places()) > 0:
		return fmt.Errorf("the bootstrap nodes answered, but named nobody: %w", ErrNoNodes)
	}
	return ErrNoNodes
}

// strangers counts the families nobody of which has ever answered us.
func (l *lookup) strangers() (n int) {
	for _, e := range l.n.ends {
		known := table.Filter{Now: l.began, States: table.StateGood | table.StateQuestionable, Answered: true, Public: true}
		if len(e.table.AppendNearest(nil, l.res.Target, 1, known)) == 0 {
			n++
		}
	}
	return n
}

// fill puts on each list the nearest good contacts, then others that answered
// once, then any, and if there are none at all even bad ones.
func (l *lookup) fill() {
	now := time.Now()
	for _, e := range l.n.ends {
		list := l.lists[e.family]
		want := max(2*l.cfg.Width, 16)
		l.fillFrom(e, want, table.Filter{Now: now, States: table.StateGood})
		l.fillFrom(e, want, table.Filter{Now: now, States: table.StateQuestionable, Answered: true})
		never := func(c table.Contact) bool { return c.Replies == 0 } // the others are on the list
		l.fillFrom(e, want, table.Filter{Now: now, States: table.StateQuestionable, Match: never})
		if len(list.list) == 0 {
			l.fillFrom(e, want, table.Filter{Now: now, States: table.StateBad})
		}
	}
}

// fillFrom adds the nearest contacts of one end that f passes until its list
// holds want.
func (l *lookup) fillFrom(e *endpoint, want int, f table.Filter) {
	list := l.lists[e.family]
	f.Public, f.Distinct = true, true
	for _, c := range e.table.AppendNearest(nil, l.res.Target, want-len(list.list), f) {
		list.add(c.Info(), 1)
	}
}
