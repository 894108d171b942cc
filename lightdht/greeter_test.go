package lightdht_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// pings returns how many pings a peer has received.
func pings(p *peer) (n int) {
	for _, q := range p.took(krpc.KindQuery) {
		if q.Method == krpc.MethodPing {
			n++
		}
	}
	return n
}

// Silent newcomers are pinged once each, 16 at a time. Whoever found no room is
// greeted when it asks later again.
func TestGreetingsAreBounded(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		var silent []*peer
		for i := range 16 {
			p := l.peer(fmt.Sprintf("10.5.0.%d:1", i+1), nil)
			p.query(at(addrA), krpc.Ping{})
			silent = append(silent, p)
		}
		l.heard(a)
		good := l.peer(addrB, answering)
		for range 3 { // all of them while the pings are under way
			good.query(at(addrA), krpc.Ping{})
			for _, p := range silent {
				p.query(at(addrA), krpc.Ping{})
			}
		}
		for _, p := range silent {
			if n := pings(p); n != 1 {
				t.Errorf("%s was pinged %d times, want once", p.addr, n)
			}
		}
		if n := pings(good); n != 0 {
			t.Errorf("there was no room, and %d pings", n)
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.GreetingsLeft: 3, lightdht.QueriesOut: 17})

		time.Sleep(6 * s) // the pings have timed out
		l.heard(a)
		for range 3 {
			good.query(at(addrA), krpc.Ping{})
			for _, p := range silent {
				p.query(at(addrA), krpc.Ping{})
			}
		}
		if c, _ := a.Table(kad.IPv4).Get(kad.NodeInfo{ID: good.id, Addr: good.addr}); c.Replies != 1 || pings(good) != 1 {
			t.Errorf("the good one is %+v", c)
		}
		for _, p := range silent {
			if n := pings(p); n != 0 {
				t.Errorf("%s was silent and is pinged again, %d times", p.addr, n)
			}
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.GreetingsLeft: 3, lightdht.QueriesOut: 19, lightdht.Timeouts: 16})
	})
}

// An answer, an error and a packet that cannot be sent all make room again.
func TestGreetingsMakeRoom(t *testing.T) {
	inLab(t, func(l *lab) {
		conn := &failing{PacketConn: l.listen(addrA)}
		a := l.node(addrA, lightdht.Config{Conn4: conn})
		ways := []func(p *peer, q *packet){
			answering,
			func(p *peer, q *packet) { p.send(q.from, krpc.Message{Kind: krpc.KindError, TID: q.TID, Code: 202}) },
			nil,
		}
		for i := range 60 {
			p := l.peer(fmt.Sprintf("10.5.0.%d:1", i+1), ways[i%3])
			if p.respond == nil {
				conn.writes.Store(1) // the ping
			}
			p.query(at(addrA), krpc.Ping{})
		}
		synctest.Wait()
		l.counts(a, map[lightdht.Counter]uint64{lightdht.GreetingsLeft: 0, lightdht.QueriesOut: 40, lightdht.WriteErrors: 20})
		a.Close()
	})
}
