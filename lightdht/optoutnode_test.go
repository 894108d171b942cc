package lightdht_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/table"
)

// To a network that has opted out nothing is sent, whatever the reason: it asks
// us, is a place to begin with, was a contact of old, is named by others, is the
// closest to every target, or is asked by hand.
func TestOptOutOnTheWire(t *testing.T) {
	inLab(t, func(l *lab) {
		shut := netip.MustParsePrefix("20.0.0.0/8")
		w := l.watch(at(publicA))
		gone := l.peer("20.1.1.1:1", answering)
		named := kad.NodeInfo{ID: idOf("named"), Addr: at("20.2.2.2:2")}
		open := l.electorate(20, nil)
		for i, p := range open {
			next := open[(i+1)%len(open)]
			p.respond = func(p *peer, q *packet) {
				nodes := krpc.AppendNode(krpc.AppendNode(nil, named), kad.NodeInfo{ID: gone.id, Addr: gone.addr})
				m := krpc.Message{Fields: krpc.FieldNodes, Nodes: krpc.AppendNode(nodes, kad.NodeInfo{ID: next.id, Addr: next.addr})}
				if q.Method == krpc.MethodGetPeers {
					m.Token = []byte("token")
					m.Set(krpc.FieldToken)
				}
				p.reply(q, m)
			}
		}
		a := l.node(publicA, lightdht.Config{
			Network: lightdht.Public, OptOut: lightdht.NewOptOut(shut), Upkeep: lightdht.UpkeepConfig{Discover: true},
			Bootstrap: []string{gone.addr.String(), open[0].addr.String()}, Routers: []string{"20.3.3.3:3"},
		})
		// A member of the core from before it opted out, as it were: silent for so
		// long that it is to be pinged.
		old := kad.NodeInfo{ID: gone.id, Addr: gone.addr}
		know(a, old, now())
		a.Table(kad.IPv4).Observe(table.Sighting{Node: named, Time: now(), Event: table.Mentioned})

		if err := a.Bootstrap(l.ctx); err != nil {
			t.Fatal(err)
		}
		for _, q := range []krpc.Query{krpc.Ping{}, krpc.FindNode{}, krpc.GetPeers{}, krpc.AnnouncePeer{InfoHash: infohash, Port: 1}, krpc.Any{Name: "vote"}} {
			gone.raw(at(publicA), string(gone.encode(q)))
			if _, err := a.Do(l.ctx, gone.addr, q); !errors.Is(err, lightdht.ErrOptOut) {
				t.Errorf("%s: %v", q.Method(), err)
			}
		}
		if _, err := a.Ask(l.ctx, old, krpc.Ping{}); !errors.Is(err, lightdht.ErrOptOut) {
			t.Errorf("asked by name: %v", err)
		}
		for _, target := range []kad.ID{gone.id, named.ID} {
			if res, err := a.FindClosest(l.ctx, target); err != nil || res.Answered == 0 || res.Failed > 0 {
				t.Errorf("%+v, %v", res, err)
			}
			a.Announce(l.ctx, target, 7)
			a.Scrape(l.ctx, target)
		}
		ctx, cancel := context.WithTimeout(l.ctx, 2*time.Minute)
		defer cancel()
		a.Explore(ctx)
		time.Sleep(time.Hour)
		all := w.places()
		for _, to := range all {
			if shut.Contains(to.Addr()) {
				t.Fatalf("sent to %s", to)
			}
		}
		if len(all) < 500 || a.Count(lightdht.OptedOut) < 10 {
			t.Errorf("%d packets were sent, %d were not: too little was tried", len(all), a.Count(lightdht.OptedOut))
		}
	})
}

// A member of the core is not pinged once it is of a network that opted out.
func TestOptOutKeepsMembersFromPings(t *testing.T) {
	inLab(t, func(l *lab) {
		gone := l.peer("20.1.1.1:1", nil)
		a := l.node(publicA, lightdht.Config{
			Network: lightdht.Public, OptOut: lightdht.NewOptOut(netip.MustParsePrefix("20.1.1.1/32")), Upkeep: lightdht.UpkeepConfig{SelfLookup: time.Hour},
		})
		a.Join(kad.NodeInfo{ID: gone.id, Addr: gone.addr}, now())
		time.Sleep(5 * time.Hour)
		if got := gone.take(); len(got) != 0 || a.Count(lightdht.UpkeepPings) == 0 {
			t.Errorf("%d packets after %d tries", len(got), a.Count(lightdht.UpkeepPings))
		}
	})
}

// An answer that is kept back for it uses up nothing of the limits.
func TestOptOutTakesNothingOfLimits(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(publicA, lightdht.Config{
			Network: lightdht.Public, OptOut: lightdht.NewOptOut(netip.MustParsePrefix("20.1.1.1/32")), Limits: lightdht.Limits{PerZone: 1},
		})
		gone, neighbour := l.peer("20.1.1.1:1", nil), l.peer("20.1.1.2:1", nil)
		know(a, kad.NodeInfo{ID: neighbour.id, Addr: neighbour.addr}, now()) // so that nobody greets it
		gone.raw(at(publicA), string(gone.encode(krpc.Ping{})))
		synctest.Wait()
		neighbour.query(at(publicA), krpc.Ping{})
	})
}
