package lightdht

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// A story of a lifeline, told in seconds: what is heard, who times out, and what
// comes of it. The silence that means nothing is 10 s.
type story struct {
	*testing.T
	life lifeline
}

func (s *story) at(second float64) time.Time {
	return time.Unix(1e9, 0).Add(time.Duration(second * float64(time.Second)))
}

// hear wants so many failures to count, so many to be void.
func (s *story) hear(second float64, failed, void int, back bool) {
	s.Helper()
	f, v, b := s.life.hear(s.at(second))
	if len(f) != failed || v != void || b != back {
		s.Errorf("heard at %v: %d failed, %d void, back %v; want %d, %d, %v", second, len(f), v, b, failed, void, back)
	}
}

// timeout is that of contact who; its answer was due at a second.
func (s *story) timeout(second, due float64, who int, counts, gone bool) {
	s.Helper()
	f := heldFailure{node: kad.NodeInfo{ID: kad.ID{byte(who)}, Addr: netip.MustParseAddrPort(fmt.Sprintf("10.0.0.%d:1", who))}, named: true, at: s.at(second)}
	c, g, _ := s.life.timedOut(s.at(due), f)
	if c != counts || g != gone {
		s.Errorf("time-out at %v: counts %v, gone %v; want %v, %v", second, c, g, counts, gone)
	}
}

func newStory(t *testing.T) *story {
	return &story{T: t, life: lifeline{silence: 10 * time.Second}}
}

func TestFailureCountsWhenOthersAreHeard(t *testing.T) {
	s := newStory(t)
	s.hear(0, 0, 0, false)
	s.hear(2, 0, 0, false)
	s.timeout(6, 2, 1, true, false) // somebody was heard when its answer was due
	s.timeout(6, 2.1, 2, false, false)
	s.hear(12, 1, 0, false) // a silence of 10 s means nothing
	s.timeout(20, 16, 3, false, false)
	s.hear(22.1, 0, 1, false) // a longer one may be the network's
	s.timeout(23, 22.1, 4, true, false)
}

func TestFailureIsVoidWhenNobodyWasEverHeard(t *testing.T) {
	s := newStory(t)
	s.timeout(6, 2, 1, false, false)
	s.hear(7, 0, 1, false)
}

// However often it was asked meanwhile, one silence is one failure.
func TestOneSilenceIsOneFailure(t *testing.T) {
	s := newStory(t)
	s.hear(0, 0, 0, false)
	for i := range 5 {
		s.timeout(6+float64(i)/10, 2, 1, false, false)
	}
	s.hear(7, 1, 4, false)
}

// The network is away once three are silent, over no less than two time-outs; it is back with the first that is heard, and nobody is to blame.
func TestOutage(t *testing.T) {
	s := newStory(t)
	s.hear(0, 0, 0, false)
	s.timeout(11, 7, 1, false, false)
	s.timeout(11, 7, 2, false, false)
	s.timeout(11, 7, 3, false, false) // asked at the same time: three may well be dead
	if s.life.isAway() || !s.life.doubt() {
		t.Error("away too soon, or not in doubt")
	}
	s.timeout(20.9, 17, 4, false, false)
	s.timeout(21, 17, 4, false, true)
	if !s.life.isAway() || s.life.doubt() {
		t.Error("not away, or still in doubt")
	}
	s.timeout(30, 26, 5, false, false) // it is away already
	s.hear(31, 0, 6, true)
	if s.life.isAway() {
		t.Error("still away")
	}
	s.hear(32, 0, 0, false)
}

// Two are not enough, nor are three while others are heard now and then.
func TestNoOutage(t *testing.T) {
	s := newStory(t)
	s.hear(0, 0, 0, false)
	for i := range 20 {
		s.timeout(11+float64(i), 7, i%2, false, false)
	}
	s.hear(40, 0, 20, false)
	for i := range 20 {
		at := 41 + 8*float64(i)
		s.timeout(at+6, at+2, i, false, false)
		s.hear(at+7, 1, 0, false)
	}
}

// What is held is bounded; what is left out is told.
func TestHeldFailuresAreBounded(t *testing.T) {
	l := lifeline{silence: time.Hour}
	l.hear(time.Unix(0, 0))
	lost := 0
	for i := range maxHeld + 10 {
		_, _, void := l.timedOut(time.Unix(1, 0), heldFailure{node: kad.NodeInfo{ID: kad.ID{byte(i), byte(i >> 8)}}, at: time.Unix(2, 0)})
		lost += void
	}
	failed, _, _ := l.hear(time.Unix(3, 0))
	if lost != 10 || len(failed) != maxHeld {
		t.Errorf("%d lost, %d failed", lost, len(failed))
	}
}
