package memory

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// answers collects what a far end is answered, and, of one that answers while it
// reads, for which target.
type answers struct {
	mu      sync.Mutex
	all     []krpc.Message
	targets []kad.ID
}

func collect(q *questions, inOrder bool) *answers {
	a := &answers{}
	q.tap = func(b []byte, to netip.AddrPort) {
		a.mu.Lock()
		defer a.mu.Unlock()
		var m krpc.Message
		if to != q.asker.addr {
			return
		}
		krpc.Parse(bytes.Clone(b), &m)
		a.all = append(a.all, m)
		if inOrder {
			a.targets = append(a.targets, kad.ID(q.target))
		}
	}
	return a
}

// filled returns what both keep of an offer.
func filled(t *testing.T, size int) *offer {
	t.Helper()
	o := newOffer(size)
	if err := errors.Join(o.light.ready(t.Context(), o), o.other.ready(t.Context(), o)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.light.node.Close(); o.other.server.Close() })
	return o
}

// lightdht answers with the nearest of all that were offered.
func TestLightServes(t *testing.T) {
	o := filled(t, 200)
	a := collect(o.light.far, true)
	if err := o.light.far.ask(t.Context(), 20); err != nil || len(a.all) != 20 {
		t.Fatalf("%d answers, %v, want 20", len(a.all), err)
	}
	contacts := slices.Collect(o.contacts())
	for i, m := range a.all {
		slices.SortFunc(contacts, func(x, y kad.NodeInfo) int {
			dx, dy := a.targets[i].Distance(x.ID), a.targets[i].Distance(y.ID)
			return bytes.Compare(dx[:], dy[:])
		})
		if got := slices.Collect(m.Nodes.All()); m.ID != ourID || string(m.TID) != "aa" || !slices.Equal(got, contacts[:8]) {
			t.Errorf("%s has for %s the nodes %v, want %v", m.ID, a.targets[i], got, contacts[:8])
		}
	}
	if first := a.targets[0].Prefix(64); first == a.targets[1].Prefix(64) || first == someTarget.Prefix(64) {
		t.Errorf("targets %v are not all different", a.targets)
	}
}

// anacrolix answers with 8 that were offered, wherever the target is.
func TestOtherServes(t *testing.T) {
	o := filled(t, 200)
	a := collect(o.other.far, false)
	if err := o.other.far.ask(t.Context(), 20); err != nil || len(a.all) != 20 {
		t.Fatalf("%d answers, %v, want 20", len(a.all), err)
	}
	contacts := slices.Collect(o.contacts())
	for _, m := range a.all {
		nodes := slices.Collect(m.Nodes.All())
		strange := slices.ContainsFunc(nodes, func(n kad.NodeInfo) bool { return !slices.Contains(contacts, n) })
		if m.ID != ourID || string(m.TID) != "aa" || len(nodes) != 8 || strange {
			t.Errorf("%s answers with %v", m.ID, nodes)
		}
	}
}

// All that were kept are good, and stay so.
func TestKept(t *testing.T) {
	o := filled(t, 300)
	light, other := &o.light, &o.other
	if light.kept != 300 || light.bytes < 50 {
		t.Errorf("lightdht kept %d of 300, %v B each", light.kept, light.bytes)
	}
	good := other.server.Stats().GoodNodes
	if other.kept < 40 || other.kept > 153 || good != other.kept || other.bytes < 100 {
		t.Errorf("anacrolix kept %d of 300, %d good, %v B each", other.kept, good, other.bytes)
	}
	long := time.Now().Add(-2 * goodFor)
	light.since, other.since = long, long
	if err := errors.Join(light.ready(t.Context(), o), other.ready(t.Context(), o)); err != nil {
		t.Fatal(err)
	}
	c, _ := light.node.Table(kad.IPv4).Get(o.asker())
	if c.Replies != 2 || time.Since(light.since) > time.Minute || time.Since(other.since) > time.Minute {
		t.Errorf("contacts were not made good again: %+v, %v, %v", c, light.since, other.since)
	}
	if light.kept != light.node.Len() || other.kept != other.server.NumNodes() {
		t.Error("there are others now")
	}
}

// played has a far end ask, and answers as sent says, on a goroutine that ends
// with the test.
func played(t *testing.T, sent func(q *questions)) *questions {
	q := newQuestions(newOffer(1).asker())
	closed, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for b := make([]byte, 1500); ; {
			if _, _, ok := q.next(b, closed); !ok {
				return
			}
			sent(q)
		}
	}()
	t.Cleanup(func() { close(closed); <-done })
	return q
}

func TestThinAnswers(t *testing.T) {
	q := played(t, func(q *questions) {
		q.sent([]byte("d1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re"), netip.AddrPort{})
	})
	if err := q.ask(t.Context(), 5); err == nil || !strings.Contains(err.Error(), "5 of 5 answers had no 8 nodes") {
		t.Errorf("answers without nodes: %v", err)
	}
}

// A query or an error is no answer, and who waits for one stops with its context.
func TestNoAnswers(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	q := played(t, func(q *questions) {
		q.sent([]byte("d1:eli201e4:oopse1:t2:aa1:y1:ee"), netip.AddrPort{})
		q.sent(findNode(kad.ID{}), netip.AddrPort{})
		cancel()
	})
	if err := q.ask(ctx, 5); !errors.Is(err, context.Canceled) || q.answered.Load() > 0 {
		t.Errorf("no answers: %v, %d of them", err, q.answered.Load())
	}
}
