package table

import "time"

// class is what a contact's place in the indexes depends on. Each class has an
// index of its own, so that those who never answered, or not for long, or answer
// no more, however many they are, cost nothing to a search for those who do.
// Only events change a class, though not only those of the contact itself: see
// living.
type class uint8

const (
	classSilent    class = iota // never answered
	classSilentBad              // never answered, and bad
	classStale                  // answered, but not heard of lately
	classLive                   // answered, and all who are good, or some of them are stale
	classBad                    // answered once, and bad
	classes        = iota
)

func (r *record) class() class {
	bad := r.failures >= BadAfter
	switch {
	case r.reply == 0 && bad:
		return classSilentBad
	case r.reply == 0:
		return classSilent
	case bad:
		return classBad
	case r.flags&flagQueued != 0:
		return classLive
	}
	return classStale
}

// sieve is a filter made ready to judge records: all of it but Distinct and
// Match, which depend on more than one record or on the caller's code.
type sieve struct {
	fresh    int64 // the earliest second that is within FreshFor
	states   State
	answered bool
	public   bool
}

const anyState = StateGood | StateQuestionable | StateBad

func newSieve(f *Filter) sieve {
	s := sieve{states: f.States, answered: f.Answered, public: f.Public}
	if s.states == 0 {
		s.states = anyState
	}
	if s.states != anyState {
		s.fresh = freshSince(f.Now)
	}
	return s
}

// freshSince rounds up: a whole second is at most FreshFor ago exactly when it
// is not before the result.
func freshSince(now time.Time) int64 {
	t := now.Add(-FreshFor)
	sec := t.Unix()
	if t.Nanosecond() > 0 {
		sec++
	}
	return sec
}

// admits reports whether a contact of class c may pass. Nobody in classStale
// was heard of after lastStale.
func (s *sieve) admits(c class, lastStale uint32) bool {
	switch c {
	case classLive:
		return s.states&(StateGood|StateQuestionable) != 0
	case classStale:
		return s.states&StateQuestionable != 0 || s.states&StateGood != 0 && s.fresh <= int64(lastStale)
	case classBad:
		return s.states&StateBad != 0
	case classSilentBad:
		return s.states&StateBad != 0 && !s.answered
	}
	return s.states&StateQuestionable != 0 && !s.answered
}

var (
	inOrder   = [classes]class{classSilent, classSilentBad, classStale, classLive, classBad}
	liveFirst = [classes]class{classLive, classStale, classSilent, classSilentBad, classBad}
)

// order is in which order to read the classes: first those most of whom pass,
// because what they have bounds how far the others are read.
func (s *sieve) order() *[classes]class {
	if s.states&(StateGood|StateQuestionable) == StateGood {
		return &liveFirst
	}
	return &inOrder
}

// passes looks at the state even when any will do: a search judges all that it
// found in one go and copies them afterwards, and so the records come from
// memory side by side rather than one after another, which saves a third of the
// time when they are not in the cache.
func (s *sieve) passes(r *record) bool {
	if s.states&r.state(s.fresh) == 0 {
		return false
	}
	return (!s.answered || r.reply != 0) && (!s.public || r.public())
}

// public reports whether a contact may be handed out.
func (r *record) public() bool {
	return r.flags&flagRouter == 0 && (r.flags&flagReadOnly == 0 || r.reply != 0)
}

// state is Contact.State of a record.
func (r *record) state(fresh int64) State {
	switch {
	case r.failures >= BadAfter:
		return StateBad
	case r.reply != 0 && max(int64(r.reply), int64(r.query)) >= fresh:
		return StateGood
	}
	return StateQuestionable
}
