package lightdht_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// A lookup begins with whoever is known, though those that answered long ago are
// nearest and dead, and those that live have only been mentioned.
func TestLookupBeginsWithAnybody(t *testing.T) {
	for _, old := range []int{0, 1, 8, 12, 15} {
		inLab(t, func(l *lab) {
			a := l.node(addrA, lightdht.Config{})
			for i := range old {
				know(a, kad.NodeInfo{ID: kad.ID{0: 0x80, 19: byte(i)}, Addr: at(fmt.Sprintf("10.3.0.%d:1", i+1))}, now().Add(-time.Hour))
			}
			p := l.peer(addrB, answering)
			a.Add(kad.NodeInfo{ID: p.id, Addr: p.addr})
			res, err := a.FindClosest(l.ctx, kad.ID{0: 0x80})
			if err != nil || !slices.Equal(found(res), []kad.NodeInfo{{ID: p.id, Addr: p.addr}}) || res.TimedOut != old {
				t.Errorf("with %d dead: %+v, %v", old, res, err)
			}
		})
	}
}

// Bad contacts are asked only when there are no others; then they are.
func TestLookupBeginsWithTheBad(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		bad, fair := l.peer(addrB, answering), l.peer(addrC, answering)
		s := table.Sighting{Node: kad.NodeInfo{ID: bad.id, Addr: bad.addr}, Time: now(), Event: table.Failed}
		for range 3 {
			a.Table(kad.IPv4).Observe(s)
		}
		res, err := a.FindClosest(l.ctx, idOf("x"))
		if err != nil || len(res.Closest) != 1 || res.Closest[0].ID != bad.id {
			t.Errorf("with bad ones alone: %+v, %v", res, err)
		}
		a = l.node(addrD, lightdht.Config{})
		for range 3 {
			a.Table(kad.IPv4).Observe(s)
		}
		know(a, kad.NodeInfo{ID: fair.id, Addr: fair.addr}, now())
		res, err = a.FindClosest(l.ctx, idOf("x"))
		if err != nil || len(res.Closest) != 1 || res.Closest[0].ID != fair.id || res.Asked != 1 {
			t.Errorf("with a good one: %+v, %v", res, err)
		}
	})
}

// Nobody begins with those that are not to be asked.
func TestLookupBeginsWithNoRouter(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		for i, s := range []table.Sighting{{Event: table.Replied, Router: true}, {Event: table.Queried, ReadOnly: true}} {
			p := l.peer(fmt.Sprintf("10.3.0.%d:1", i+1), answering)
			s.Node, s.Time = kad.NodeInfo{ID: p.id, Addr: p.addr}, now()
			a.Table(kad.IPv4).Observe(s)
		}
		if res, err := a.FindClosest(l.ctx, idOf("x")); err == nil {
			t.Errorf("it found %+v", res)
		}
	})
}
