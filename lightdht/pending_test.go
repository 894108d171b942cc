package lightdht

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// naive is what pending promises, as a list that is searched.
type naive struct{ calls, ended []*call }

func (n *naive) drop(c *call) {
	n.calls = slices.DeleteFunc(n.calls, func(x *call) bool { return x == c })
}

func (n *naive) match(tid uint32, from netip.AddrPort) (*call, verdict) {
	is := func(c *call) bool { return c.tid == tid && c.to.Addr == from }
	if i := slices.IndexFunc(n.calls, is); i >= 0 {
		c := n.calls[i]
		n.drop(c)
		return c, answers
	}
	if i := slices.IndexFunc(n.ended, is); i >= 0 {
		n.ended = slices.Delete(n.ended, i, i+1)
		return nil, late
	}
	return nil, stray
}

// under takes out the calls of one context.
func (n *naive) under(done <-chan struct{}, of map[*call]<-chan struct{}) (all []*call) {
	for _, c := range slices.Clone(n.calls) {
		if of[c] == done {
			n.drop(c)
			all = append(all, c)
		}
	}
	n.ended = append(n.ended, all...)
	return all
}

// Random operations on pending and on the list have the same results.
func TestPendingAgainstAList(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 0))
		p, twin := newPending(), &naive{}
		var all []*call
		contexts := []<-chan struct{}{nil, make(chan struct{}), make(chan struct{})}
		of, watched := map[*call]<-chan struct{}{}, map[<-chan struct{}]bool{nil: true}
		now := time.Unix(0, 0)
		for step := range 2000 {
			now = now.Add(time.Duration(r.IntN(100)) * time.Millisecond)
			switch op := r.IntN(11); {
			case op < 5:
				addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(4))}), 1)
				c := &call{to: kad.NodeInfo{Addr: addr}, sent: now, deadline: now.Add(time.Second)}
				of[c] = contexts[r.IntN(len(contexts))]
				if a := p.add(c, of[c]); !a.ok || a.first != (len(twin.calls) == 0) || a.watch == watched[of[c]] {
					t.Fatalf("seed %d, step %d: add says %+v", seed, step, a)
				}
				watched[of[c]] = true
				all, twin.calls = append(all, c), append(twin.calls, c)
			case op < 8 && len(all) > 0:
				c := all[r.IntN(len(all))]
				from := c.to.Addr
				if r.IntN(4) == 0 {
					from = netip.AddrPortFrom(from.Addr(), 2)
				}
				got, _, v := p.match(c.tid, from)
				if want, wantV := twin.match(c.tid, from); got != want || v != wantV {
					t.Fatalf("seed %d, step %d: match says %v, %d, want %v, %d", seed, step, got, v, want, wantV)
				}
			case op < 9 && len(all) > 0:
				c := all[r.IntN(len(all))]
				want := slices.Contains(twin.calls, c)
				if p.take(c) != want {
					t.Fatalf("seed %d, step %d: take says %v", seed, step, !want)
				}
				if want {
					twin.drop(c)
					twin.ended = append(twin.ended, c)
				}
			case op == 10:
				done := contexts[1+r.IntN(2)]
				watched[done] = false
				if got, want := p.takeAll(done), twin.under(done, of); !slices.Equal(got, want) {
					t.Fatalf("seed %d, step %d: takeAll says %v, want %v", seed, step, got, want)
				}
			default:
				checkExpire(t, p, twin, now)
			}
		}
	}
}

func checkExpire(t *testing.T, p *pending, twin *naive, now time.Time) {
	t.Helper()
	c, next := p.expire(now)
	switch {
	case len(twin.calls) == 0:
		if c != nil || !next.IsZero() {
			t.Fatalf("of nothing, expire says %v, %v", c, next)
		}
	case twin.calls[0].deadline.After(now):
		if c != nil || !next.Equal(twin.calls[0].deadline) {
			t.Fatalf("expire says %v, %v, want nothing until %v", c, next, twin.calls[0].deadline)
		}
	default:
		if c != twin.calls[0] {
			t.Fatalf("expire says %v, want the oldest", c)
		}
		twin.drop(c)
		twin.ended = append(twin.ended, c)
	}
}

func TestPendingLetsNobodyInAfterClose(t *testing.T) {
	p := newPending()
	a, b := &call{}, &call{}
	p.add(a, nil)
	p.add(b, nil)
	if got := p.close(); !slices.Equal(got, []*call{a, b}) {
		t.Errorf("close returned %d calls, want the two that wait", len(got))
	}
	if p.add(&call{}, nil).ok {
		t.Error("a call came in after close")
	}
	if p.take(a) || len(p.close()) != 0 {
		t.Error("a call ended twice")
	}
}

// Patience is RFC 6298's, within its bounds.
func TestPatienceFollowsTheRoundTrips(t *testing.T) {
	var r rttEstimator
	if got := r.patience(5 * time.Second); got != firstPatience {
		t.Errorf("before any answer: %v", got)
	}
	if got := r.patience(time.Millisecond); got != time.Millisecond {
		t.Errorf("beyond the time-out: %v", got)
	}
	r.add(200 * time.Millisecond)
	if got := r.patience(5 * time.Second); got != 600*time.Millisecond { // mean 200, deviation 100
		t.Errorf("after one answer: %v", got)
	}
	r.add(400 * time.Millisecond) // deviation 100 + (200-100)/16 = 106.25, mean 200 + 200/16 = 212.5
	if got := r.patience(5 * time.Second); got != 637500*time.Microsecond {
		t.Errorf("after two answers: %v", got)
	}
	for range 1000 {
		r.add(time.Millisecond)
	}
	if got := r.patience(5 * time.Second); got != leastPatience {
		t.Errorf("in a fast network: %v", got)
	}
	for range 1000 {
		r.add(4 * time.Second)
	}
	if got := r.patience(3 * time.Second); got != 3*time.Second {
		t.Errorf("in a slow network: %v", got)
	}
}
