package lightdht_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/table"
)

// past is what another run saw of peers and others, some hours ago.
func past(l *lab, seed uint64, peers []kad.NodeInfo) (all []table.Sighting) {
	r := random(l, seed)
	for i := range 3000 {
		node := kad.NodeInfo{ID: idOf(fmt.Sprint(r.IntN(500))), Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 6, byte(r.IntN(2)), 1}), 6)}
		if r.IntN(3) == 0 {
			node = peers[r.IntN(len(peers))]
		}
		all = append(all, table.Sighting{Node: node, Time: now().Add(-3*time.Hour + time.Duration(i)*time.Second), Event: table.Event(1 + r.IntN(4)),
			RTT: time.Duration(r.IntN(1e9)), Version: []byte{'P', byte(r.IntN(5))}, ReadOnly: r.IntN(4) == 0})
	}
	return all
}

// A node is told of the past while a storm of sightings goes over it and its
// tables are exchanged again and again: what it knows in the end is what it would
// know had it seen all of it.
func TestRestoreInAStorm(t *testing.T) {
	for seed := range uint64(3) {
		inLab(t, func(l *lab) {
			var r rows
			a, storm := stormy(l, seed, lightdht.Config{Recorder: &r})
			var peers []kad.NodeInfo
			for i := range 20 {
				addr := fmt.Sprintf("10.3.%d.1:1", i)
				peers = append(peers, kad.NodeInfo{ID: idOf(addr), Addr: at(addr)})
			}
			a.Add(peers...)
			saved, want := table.NewPrefix(), table.NewFlat()
			for _, s := range past(l, seed, peers) {
				saved.Observe(s)
				want.Observe(s)
			}
			var restoring sync.WaitGroup
			restoring.Go(func() {
				i := 0
				n, err := a.Restore(func(yield func(table.Contact) bool) {
					for c := range saved.All() {
						if i++; i%50 == 0 {
							time.Sleep(time.Second)
							a.SwapTable(table.NewFlat)
						}
						if !yield(c) {
							return
						}
					}
				})
				if n != saved.Len() || err != nil {
					t.Errorf("%d of %d: %v", n, saved.Len(), err)
				}
			})
			storm(100)
			restoring.Wait()
			for _, s := range r.take() {
				replay(want, s)
			}
			sameTables(t, a.Table(kad.IPv4), want)
		})
	}
}

// Many at once, on top of many sightings, and all counted.
func TestRestoreAtOnce(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		saved := table.NewPrefix()
		info := func(i int) kad.NodeInfo {
			return kad.NodeInfo{ID: idOf(fmt.Sprint(i)), Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 5, byte(i >> 8), byte(i)}), 5)}
		}
		for i := range 2000 {
			saved.Observe(table.Sighting{Node: info(i), Time: now().Add(-time.Hour), Event: table.Replied})
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { a.Restore(saved.All()) })
			wg.Go(func() {
				for i := range 2000 {
					a.Add(info(i))
				}
			})
			wg.Go(func() { a.SwapTable(table.NewFlat); a.SwapTable(table.NewPrefix) })
		}
		wg.Wait()
		for c := range a.Contacts() {
			if c.Replies != 2 || !c.FirstSeen.Equal(now().Add(-time.Hour)) || !c.LastSeen.Equal(now()) {
				t.Fatalf("%+v", c)
			}
		}
		if a.Len() != 2000 {
			t.Errorf("%d contacts", a.Len())
		}
	})
}

// Who would not be known from a packet is not known from a store, either.
func TestRestoreLeavesOut(t *testing.T) {
	inLab(t, func(l *lab) {
		var r rows
		a := l.node(publicA, lightdht.Config{Network: lightdht.Public, Recorder: &r, Routers: []string{"9.1.1.1:6881"}, MaxIDsPerAddr: 4})
		a.Bootstrap(l.ctx)
		r.take()
		var saved []table.Contact
		add := func(id, addr string, replies uint32) {
			c := table.Contact{ID: idOf(id), Addr: at(addr), FirstSeen: now().Add(-time.Hour), LastSeen: now(), Origin: table.FromReply}
			if c.Replies = replies; replies > 0 {
				c.LastReply = now()
			}
			saved = append(saved, c)
		}
		add("private", "10.1.1.1:1", 1)
		add("portless", "9.1.1.2:0", 1)
		add("six", "[2606:4700::1]:6881", 1)
		add("self", publicA, 1)
		add("self, mapped", "[::ffff:8.8.4.4]:6881", 1)
		saved = append(saved, table.Contact{ID: a.ID(), Addr: at("9.1.1.3:1")})
		add("router", "9.1.1.1:6881", 1)
		add("mapped", "[::ffff:9.1.1.4]:6881", 1)
		for i := range 5 {
			add(fmt.Sprint("silent", i), "9.2.2.2:2", 0)
		}
		add("answers", "9.2.2.2:2", 2)
		add("too many", "9.2.2.2:2", 2)
		if n, err := a.Restore(slices.Values(saved)); n != 6 || err != nil || a.Len() != 6 {
			t.Errorf("%d restored, %d known: %v", n, a.Len(), err)
		}
		tab := a.Table(kad.IPv4)
		if c, _ := tab.Get(kad.NodeInfo{ID: idOf("router"), Addr: at("9.1.1.1:6881")}); !c.Router {
			t.Errorf("a router is %+v", c)
		}
		if c, _ := tab.Get(kad.NodeInfo{ID: idOf("mapped"), Addr: at("9.1.1.4:6881")}); c.Replies != 1 {
			t.Errorf("one told with a mapped address is %+v", c)
		}
		if _, ok := tab.Get(kad.NodeInfo{ID: idOf("answers"), Addr: at("9.2.2.2:2")}); !ok {
			t.Error("one that answered found no room")
		}
		if got := a.Core(kad.IPv4); len(got) > 0 || len(r.take()) > 0 {
			t.Errorf("the core is %v", got)
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.MentionRefused: 3, lightdht.OwnID: 3, lightdht.IDsRefused: 3})
		// And whoever is seen later finds the room that is left.
		if a.Add(kad.NodeInfo{ID: idOf("later"), Addr: at("9.2.2.2:2")}); a.Len() != 6 {
			t.Errorf("%d contacts", a.Len())
		}
	})
}

// Lookups begin with what was restored, and who answers them is kept fresh.
func TestRestoredAreAsked(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, answering)
		a.Restore(slices.Values([]table.Contact{{ID: b.id, Addr: b.addr, FirstSeen: now(), LastSeen: now(), LastReply: now().Add(-24 * time.Hour), Replies: 9}}))
		if err := a.Bootstrap(l.ctx); err != nil {
			t.Error(err)
		}
		if got := a.Core(kad.IPv4); len(got) != 1 || len(b.took(krpc.KindQuery)) != 1 {
			t.Errorf("the core is %v", got)
		}
	})
}

// A closed node takes no more, and says so.
func TestRestoreEndsWithTheNode(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		asked := 0
		n, err := a.Restore(func(yield func(table.Contact) bool) {
			for yield(table.Contact{ID: idOf(fmt.Sprint(asked)), Addr: at(addrB)}) {
				if asked++; asked == 10 {
					a.Close()
				}
			}
		})
		if n != 10 || !errors.Is(err, lightdht.ErrClosed) {
			t.Errorf("%d, %v", n, err)
		}
	})
}
