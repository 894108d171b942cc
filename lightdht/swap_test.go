package lightdht_test

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/table"
)

// twin is a Recorder that tells a table of its own what it is told.
type twin struct{ table.Table }

func (t twin) Record(row record.Row) {
	if s, ok := row.(*record.Sighting); ok {
		replay(t.Table, *s)
	}
}

// A node goes from one kind of table to the other and back again and again, while
// a storm of sightings goes over it. Nothing is lost: all histories are those of
// a table that was never exchanged.
func TestSwapTableInAStorm(t *testing.T) {
	for seed := range uint64(2) {
		inLab(t, func(l *lab) {
			never := twin{table.NewFlat()}
			a, storm := stormy(l, seed, lightdht.Config{NewTable: table.NewFlat, Recorder: never})
			r := random(l, seed+50)
			var some []kad.NodeInfo
			for range 1000 {
				some = append(some, kad.NodeInfo{ID: randomID(r), Addr: at("10.5.0.1:5")})
			}
			a.Add(some...)
			over := make(chan struct{})
			var swapping sync.WaitGroup
			swapping.Go(func() {
				for kinds := 0; ; kinds++ {
					select {
					case <-over:
						return
					case <-time.After(700 * time.Millisecond):
					}
					newTable := table.NewPrefix
					if kinds%2 == 1 {
						newTable = table.NewFlat
					}
					a.SwapTable(newTable)
				}
			})
			// In no time at all, while tables are exchanged without a pause: what is
			// known changes, and what is not arrives.
			var rush sync.WaitGroup
			for worker := range 3 {
				draw := random(l, seed*10+uint64(worker))
				rush.Go(func() {
					for range 1000 {
						info := some[draw.IntN(len(some))]
						if draw.IntN(3) == 0 {
							info.ID = randomID(draw)
						}
						a.Add(info)
					}
				})
			}
			for range 3 {
				a.SwapTable(table.NewPrefix)
				a.SwapTable(table.NewFlat)
			}
			rush.Wait()
			storm(100)
			close(over)
			swapping.Wait()
			sameTables(t, a.Table(kad.IPv4), never)
		})
	}
}

// The new tables are of the new kind, in both families, and the answers of the
// node are as before.
func TestSwapTable(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node("", lightdht.Config{Conn4: l.listen(addrA), Conn6: l.listen("[2001:db8::1]:1"), NewTable: table.NewFlat})
		for i := range 50 {
			for _, host := range []string{"10.2.2.2", "[2001:db8::2]"} {
				know(a, kad.NodeInfo{ID: idOf(fmt.Sprint(host, i)), Addr: at(fmt.Sprintf("%s:%d", host, i+1))}, now())
			}
		}
		b := l.peer(addrB, nil)
		ask := func() string {
			q := krpc.FindNode{Target: infohash, Want: krpc.WantIPv4 | krpc.WantIPv6}
			got := b.query(at(addrA), q)
			return fmt.Sprint(got.NodeInfos())
		}
		kinds := func() string { return fmt.Sprintf("%T %T", a.Table(kad.IPv4), a.Table(kad.IPv6)) }
		know(a, kad.NodeInfo{ID: b.id, Addr: b.addr}, now())
		before, flat, was := ask(), kinds(), a.Table(kad.IPv4)
		a.SwapTable(table.NewPrefix)
		if after := ask(); after != before || kinds() == flat || a.Len() != 101 {
			t.Errorf("%d contacts in %s; the answer was %s and is %s", a.Len(), kinds(), before, after)
		}
		know(a, kad.NodeInfo{ID: idOf("new"), Addr: at(addrC)}, now())
		if was.Len() != 51 || a.Table(kad.IPv4).Len() != 52 {
			t.Errorf("the old table has %d, the new one %d", was.Len(), a.Table(kad.IPv4).Len())
		}
		a.SwapTable(table.NewFlat)
		if kinds() != flat || a.Len() != 102 {
			t.Errorf("%d contacts in %s", a.Len(), kinds())
		}
	})
}

// Nodes that share tables share all that either sees, and the exchange of tables.
func TestSharedTables(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{MaxIDsPerAddr: 2})
		b := l.node(addrB, lightdht.Config{Share: a, NewTable: table.NewFlat, MaxIDsPerAddr: 100})
		c := l.peer(addrC, answering)
		info := kad.NodeInfo{ID: c.id, Addr: c.addr}
		see := func(replies uint32) {
			t.Helper()
			for _, n := range []*lightdht.Node{a, b} {
				if got, ok := n.Table(kad.IPv4).Get(info); !ok || got.Replies != replies || n.Len() != 1 {
					t.Errorf("%s sees %+v among %d", n.Addr(kad.IPv4), got, n.Len())
				}
			}
		}
		a.Ping(l.ctx, c.addr)
		see(1)
		b.Ping(l.ctx, c.addr)
		see(2)
		before := a.Table(kad.IPv4)
		b.SwapTable(table.NewFlat)
		if a.Table(kad.IPv4) == before || a.Table(kad.IPv4) != b.Table(kad.IPv4) {
			t.Error("they have different tables")
		}
		see(2)
		a.Ping(l.ctx, c.addr)
		see(3)
		// The limits are those of the node that made the tables, and what is not kept
		// is counted by the one that saw it.
		for i := range 4 {
			b.Add(kad.NodeInfo{ID: idOf(fmt.Sprint(i)), Addr: at("10.7.7.7:7")})
		}
		if b.Len() != 3 {
			t.Errorf("%d contacts", b.Len())
		}
		l.counts(b, map[lightdht.Counter]uint64{lightdht.IDsRefused: 2})
		l.counts(a, map[lightdht.Counter]uint64{lightdht.IDsRefused: 0})
		if got := b.Core(kad.IPv4); len(got) != 1 || len(a.Core(kad.IPv4)) != 1 {
			t.Errorf("b's core is %v, a's %v", got, a.Core(kad.IPv4))
		}
	})
}

// Limits hold across an exchange: who is known is known still.
func TestLimitsOutliveSwaps(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{MaxIDsPerAddr: 3, MaxContacts: 5})
		add := func(i int, addr string) { a.Add(kad.NodeInfo{ID: idOf(fmt.Sprint(i)), Addr: at(addr)}) }
		for round := range 3 {
			for i := range 5 {
				add(i, "10.7.7.7:7")
			}
			if a.Len() != 3 || a.Count(lightdht.IDsRefused) != uint64(2*(round+1)) {
				t.Errorf("%d contacts, %d refused", a.Len(), a.Count(lightdht.IDsRefused))
			}
			a.SwapTable(table.NewFlat)
		}
		for i := range 4 {
			add(10+i, fmt.Sprintf("10.8.8.%d:8", i+1))
		}
		if a.Len() != 5 || a.Count(lightdht.ContactsRefused) != 2 {
			t.Errorf("%d contacts, %d refused", a.Len(), a.Count(lightdht.ContactsRefused))
		}
		c := l.peer(addrC, answering)
		a.Ping(l.ctx, c.addr)
		if a.Len() != 6 {
			t.Error("one that answered was not let in")
		}
	})
}

// On the public network an address is kept under 256 IDs unless one says
// otherwise, on a private one under any number; three quarters of them if it
// never answers.
func TestMaxIDsPerAddrByNetwork(t *testing.T) {
	for _, c := range []struct {
		network lightdht.Network
		most    int
		want    int
	}{
		{lightdht.Public, 0, 192}, {lightdht.Private, 0, 300}, {lightdht.Public, -1, 300}, {lightdht.Private, 7, 6}, {lightdht.Public, 1 << 20, 300},
	} {
		inLab(t, func(l *lab) {
			a := l.node(publicA, lightdht.Config{Network: c.network, MaxIDsPerAddr: c.most})
			for i := range 300 {
				a.Add(kad.NodeInfo{ID: idOf(fmt.Sprint(i)), Addr: netip.AddrPortFrom(at(publicB).Addr(), uint16(i+1))})
			}
			if a.Len() != c.want || a.Count(lightdht.IDsRefused) != uint64(300-c.want) {
				t.Errorf("%s, %d: %d kept, %d refused", c.network, c.most, a.Len(), a.Count(lightdht.IDsRefused))
			}
		})
	}
}

// Who answers as one ID after the other is met no more than so many times, and
// is not in the core beyond that either.
func TestOneAddressOfManyIDs(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{MaxIDsPerAddr: 3})
		i := 0
		p := l.peer(addrB, func(p *peer, q *packet) {
			i++
			p.reply(q, krpc.Message{ID: idOf(fmt.Sprint("face", i)), Fields: krpc.FieldID})
		})
		for range 10 {
			a.Ping(l.ctx, p.addr)
		}
		if got := a.Core(kad.IPv4); a.Len() != 3 || len(got) != 1 || got[0].ID != idOf("face3") {
			t.Errorf("%d contacts, the core is %v", a.Len(), got)
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.IDsRefused: 7, lightdht.RepliesIn: 10})
	})
}

// What tables could not keep is told of all of them, the exchanged ones too.
func TestDropsOutliveSwaps(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node("", lightdht.Config{Conn4: l.listen(addrA), Conn6: l.listen("[2001:db8::1]:1")})
		four, six := l.peer(addrB, nil), l.peer("[2001:db8::2]:2", nil)
		tell := func(p *peer, to string) {
			p.raw(at(to), "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:v100:"+strings.Repeat("v", 100)+"1:y1:qe")
			synctest.Wait()
		}
		tell(four, addrA)
		tell(six, "[2001:db8::1]:1")
		a.SwapTable(table.NewFlat)
		tell(four, addrA)
		a.SwapTable(table.NewPrefix)
		if got := a.Drops(); got != (table.Drops{VersionsCut: 3}) {
			t.Errorf("%+v", got)
		}
		tell(four, addrA)
		if got := a.Drops(); got != (table.Drops{VersionsCut: 4}) {
			t.Errorf("%+v", got)
		}
	})
}
