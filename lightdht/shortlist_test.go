package lightdht

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// walk is a shortlist for target 0 whose candidates are told by their distance:
// number 7 has the ID …07 and an address of its own. Its clock counts seconds.
type walk struct {
	*testing.T
	*shortlist
	now time.Time
}

func newWalk(t *testing.T, c LookupConfig, known ...int) *walk {
	w := &walk{t, newShortlist(kad.ID{}, c.withDefaults(), false), time.Unix(0, 0)}
	w.hear(1, known...)
	return w
}

func number(i int) kad.NodeInfo {
	return kad.NodeInfo{ID: kad.ID{18: byte(i >> 8), 19: byte(i)}, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1)}
}

func (w *walk) hear(hop int, numbers ...int) {
	for _, i := range numbers {
		w.add(number(i), hop)
	}
}

// asks asks as many as may be, and holds them to be these.
func (w *walk) asks(want ...int) {
	w.Helper()
	var got []int
	for c := w.next(); c != nil; c = w.next() {
		w.ask(c, w.now)
		got = append(got, int(c.node.ID[18])<<8|int(c.node.ID[19]))
	}
	if !slices.Equal(got, want) {
		w.Errorf("asked %v, want %v", got, want)
	}
}

func (w *walk) find(i int) *candidate {
	w.Helper()
	at := slices.IndexFunc(w.list, func(c *candidate) bool { return c.node == number(i) })
	if at < 0 {
		w.Fatalf("number %d is not on the list", i)
	}
	return w.list[at]
}

func (w *walk) answers(numbers ...int) {
	w.Helper()
	for _, i := range numbers {
		w.settle(w.find(i), answered)
	}
}

func (w *walk) fails(numbers ...int) {
	w.Helper()
	for _, i := range numbers {
		w.settle(w.find(i), failed)
	}
}

// ends holds the lookup to be over, or not, with these as its result.
func (w *walk) ends(over bool, k int, want ...int) {
	w.Helper()
	var got []int
	closest, _ := w.closest(k)
	for _, c := range closest {
		got = append(got, int(c.node.ID[19]))
	}
	if w.done() != over || !slices.Equal(got, want) {
		w.Errorf("over is %v with %v, want %v with %v", w.done(), got, over, want)
	}
}

func TestShortlistAsksTheNearestFirst(t *testing.T) {
	w := newWalk(t, LookupConfig{K: 2, Parallel: 3}, 50, 10, 40, 20, 30)
	w.asks(10, 20, 30)
	w.asks()
	w.answers(20)
	w.hear(2, 5, 6)
	w.asks(5)
	w.ends(false, 2, 20)
	w.answers(10, 5)
	w.asks(6)
	w.answers(6)
	w.asks()
	w.ends(true, 2, 5, 6)
}

func TestShortlistEndsOnlyWhenNobodyNearerIsLeft(t *testing.T) {
	w := newWalk(t, LookupConfig{K: 2, Parallel: 4}, 1, 2, 3, 4)
	w.asks(1, 2, 3, 4)
	w.answers(2, 3)
	w.ends(false, 2, 2, 3) // number 1 may still answer
	w.answers(1)
	w.ends(true, 2, 1, 2)
}

func TestShortlistPassesOverFailures(t *testing.T) {
	w := newWalk(t, LookupConfig{K: 2, Parallel: 2}, 1, 2, 3, 4, 5)
	w.asks(1, 2)
	w.fails(1, 2)
	w.asks(3, 4)
	w.fails(3)
	w.answers(4)
	w.asks(5)
	w.answers(5)
	w.ends(true, 2, 4, 5)
}

func TestShortlistEndsWhenNobodyIsLeft(t *testing.T) {
	w := newWalk(t, LookupConfig{K: 8, Parallel: 4}, 1, 2)
	w.asks(1, 2)
	w.answers(1)
	w.ends(false, 8, 1)
	w.fails(2)
	w.ends(true, 8, 1)
	newWalk(t, LookupConfig{}).ends(true, 8)
}

// A wide lookup asks on until Width have answered, and returns K.
func TestShortlistWidth(t *testing.T) {
	w := newWalk(t, LookupConfig{K: 1, Width: 3, Parallel: 1}, 1, 2, 3, 4)
	w.asks(1)
	w.answers(1)
	w.asks(2)
	w.answers(2)
	w.ends(false, 1, 1)
	w.asks(3)
	w.answers(3)
	w.asks()
	w.ends(true, 1, 1)
}

func TestShortlistNeverAsksTwice(t *testing.T) {
	w := newWalk(t, LookupConfig{K: 2, Parallel: 2}, 1, 2)
	w.asks(1, 2)
	w.hear(2, 1, 2)
	w.asks()
	w.fails(1)
	w.answers(2)
	w.hear(3, 1, 2)
	w.asks()
	if other := number(9); w.addrs[other.Addr] {
		t.Error("an address nobody spoke of is known")
	}
	sameAddress := kad.NodeInfo{ID: kad.ID{19: 9}, Addr: number(1).Addr}
	if c, left := w.add(sameAddress, 2); c != nil || left {
		t.Error("an address was taken in a second time, under another ID")
	}
}

// Silent ones make room for others, are waited for twice as long, and then no
// more; their late answer still counts.
func TestShortlistGivesUpOnTheSilent(t *testing.T) {
	w := newWalk(t, LookupConfig{K: 2, Parallel: 2}, 1, 2, 3, 4)
	w.asks(1, 2)
	w.now = w.now.Add(time.Second)
	if next := w.nextGiveUp(time.Second); !next.Equal(w.now) {
		t.Errorf("is to give up at %v", next)
	}
	if gone := w.giveUp(w.now, time.Second); len(gone) != 2 {
		t.Errorf("gave up on %d, want two", len(gone))
	}
	w.asks(3, 4)
	if gone := w.giveUp(w.now, time.Second); len(gone) != 0 {
		t.Errorf("gave up on %d that were asked just now", len(gone))
	}
	w.answers(1) // late
	w.ends(false, 2, 1)
	w.answers(3)
	w.ends(false, 2, 1, 3) // 2 is silent, 4 is farther
	if next := w.nextGiveUp(time.Second); !next.Equal(w.now.Add(time.Second)) {
		t.Errorf("is to give up at %v", next)
	}
	w.giveUp(w.now.Add(time.Second-1), time.Second)
	w.ends(false, 2, 1, 3)
	w.giveUp(w.now.Add(time.Second), time.Second)
	w.ends(true, 2, 1, 3)
	if got := w.waiting(); len(got) != 2 {
		t.Errorf("%d are under way, want 2 and 4", len(got))
	}
	w.answers(2)
	w.ends(true, 2, 1, 2)
}

// With too few answers the silent are waited for after all.
func TestShortlistWaitsForTheSilentWhenNobodyElseIsLeft(t *testing.T) {
	w := newWalk(t, LookupConfig{K: 2, Parallel: 2}, 1, 2)
	w.asks(1, 2)
	w.answers(2)
	w.giveUp(w.now.Add(time.Hour), 1)
	w.ends(false, 2, 2)
	w.answers(1)
	w.ends(true, 2, 1, 2)
}

func TestShortlistAsksNoMoreThanMaxAsked(t *testing.T) {
	w := newWalk(t, LookupConfig{K: 2, Parallel: 3, MaxAsked: 4}, 90, 91, 92)
	w.asks(90, 91, 92)
	w.fails(90, 91, 92)
	w.hear(2, 80, 81)
	w.asks(80)
	w.ends(false, 2)
	w.answers(80)
	w.ends(true, 2, 80)
}

// Who speaks in another's place has answered, in the place of its own ID.
func TestShortlistReplaced(t *testing.T) {
	w := newWalk(t, LookupConfig{K: 2, Parallel: 2}, 5, 6)
	w.asks(5, 6)
	c := w.replaced(w.find(5), kad.ID{19: 9})
	if c.node.Addr != number(5).Addr || w.find(5).state != failed {
		t.Errorf("%v took the place of number 5, which is %d", c.node, w.find(5).state)
	}
	w.answers(6)
	w.ends(true, 2, 6, 9)
}

// One ID at many addresses is one node of the result, and does not make the
// lookup end before there are K of them.
func TestShortlistCountsAnIDOnce(t *testing.T) {
	w := newWalk(t, LookupConfig{K: 2, Parallel: 3}, 7)
	for i := range 2 {
		w.add(kad.NodeInfo{ID: kad.ID{19: 1}, Addr: number(100 + i).Addr}, 1)
	}
	for c := w.next(); c != nil; c = w.next() {
		w.ask(c, w.now)
		w.settle(c, answered)
	}
	w.ends(true, 2, 1, 7)
}

// The list is bounded: the farthest that nobody asked make room for nearer ones.
func TestShortlistIsBounded(t *testing.T) {
	w := newWalk(t, LookupConfig{K: 8, Parallel: 2, MaxAsked: 10})
	const room = maxUnasked + 10
	for i := range room {
		w.hear(1, 2*i+2)
	}
	w.asks(2, 4)
	if c, left := w.add(number(2*room+1), 1); c != nil || !left {
		t.Error("one farther than all others found room")
	}
	if c, left := w.add(number(1), 1); c == nil || !left || len(w.list) != room {
		t.Errorf("a near one found no room; %d on the list", len(w.list))
	}
	if w.addrs[number(2*room).Addr] {
		t.Error("the farthest is still known")
	}
	w.fails(2)
	w.asks(1)
}

// A network of 500 where everybody knows few: the walk finds the nearest, for
// any order in which answers and failures come.
func TestShortlistFindsTheNearestInAnyOrder(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		w := newWalk(t, LookupConfig{K: 8, Parallel: 1 + r.IntN(6)}, 400+r.IntN(100), 400+r.IntN(100))
		dead := map[int]bool{}
		for range r.IntN(150) {
			dead[1+r.IntN(500)] = true
		}
		dead[w.id(w.list[0])] = false
		asked := map[int]int{}
		for !w.done() {
			for c := w.next(); c != nil; c = w.next() {
				w.ask(c, w.now)
				asked[w.id(c)]++
			}
			waiting := w.waiting()
			c := waiting[r.IntN(len(waiting))]
			if i := w.id(c); dead[i] {
				w.settle(c, failed)
			} else {
				w.settle(c, answered)
				w.hear(c.hop+1, contactsOf(i)...)
			}
		}
		var got, want []string
		closest, _ := w.closest(8)
		for _, c := range closest {
			got = append(got, fmt.Sprint(w.id(c)))
		}
		for i := 1; len(want) < 8; i++ {
			if !dead[i] {
				want = append(want, fmt.Sprint(i))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("seed %d: found %s, want %s", seed, strings.Join(got, " "), strings.Join(want, " "))
		}
		for i, n := range asked {
			if n > 1 {
				t.Errorf("seed %d: %d was asked %d times", seed, i, n)
			}
		}
	}
}

func (w *walk) id(c *candidate) int { return int(c.node.ID[18])<<8 | int(c.node.ID[19]) }

// contactsOf returns whom number i knows: its neighbours, and some on the way to 0.
func contactsOf(i int) (known []int) {
	for d := -60; d <= 20; d++ {
		if j := i + d; j >= 1 && j <= 500 {
			known = append(known, j)
		}
	}
	return append(known, max(1, i/2), max(1, i/3))
}
