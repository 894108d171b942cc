package lightdht

import (
	"testing"
	"time"
)

// To end the calls of a context looks at these alone, however many others wait.
func TestEndingLooksAtItsOwn(t *testing.T) {
	const count = 20_000
	p := newPending()
	dones := make([]chan struct{}, count)
	for i := range dones {
		dones[i] = make(chan struct{})
		p.add(&call{deadline: time.Unix(int64(i), 0)}, dones[i])
	}
	for _, done := range dones[:count/2] { // the list of all calls is cut: who walks it falls
		p.watches.all[done].first.next = nil
	}
	for i := count - 1; i >= count/2; i-- {
		if all := p.takeAll(dones[i]); len(all) != 1 || all[0].deadline.Unix() != int64(i) {
			t.Fatalf("%d calls ended, want that of context %d", len(all), i)
		}
	}
}
