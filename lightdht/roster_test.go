package lightdht

import (
	"math/rand/v2"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/table"
)

// rosterOf is a roster with limits and an empty table.
func rosterOf(perAddr, most int) *roster {
	return newCommons(Config{NewTable: table.NewFlat, MaxIDsPerAddr: perAddr, MaxContacts: most}).four
}

func seen(id byte, addr string, event table.Event) table.Sighting {
	return table.Sighting{Node: kad.NodeInfo{ID: kad.ID{id}, Addr: netip.MustParseAddrPort(addr)}, Time: noon, Event: event}
}

// Of one address so many IDs are kept, whatever its ports; those that are go on.
func TestMaxIDsPerAddr(t *testing.T) {
	r := rosterOf(2, 0)
	for _, c := range []struct {
		s    table.Sighting
		want entry
	}{
		{seen(1, "1.1.1.1:1", table.Queried), entered},
		{seen(2, "1.1.1.1:2", table.Replied), entered},
		{seen(3, "1.1.1.1:3", table.Replied), tooManyIDs},
		{seen(2, "1.1.1.1:1", table.Replied), tooManyIDs}, // a contact is an ID at an address and port
		{seen(3, "1.1.1.2:3", table.Mentioned), entered},
		{seen(1, "1.1.1.1:1", table.Failed), entered},
		{seen(1, "[2001:db8:0:1::1]:1", table.Queried), entered},
		{seen(2, "[2001:db8:0:1:ffff::1]:1", table.Queried), entered}, // a /64 is one
		{seen(3, "[2001:db8:0:1:1:2:3:4]:1", table.Queried), tooManyIDs},
		{seen(3, "[2001:db8:0:2::1]:1", table.Queried), entered},
		{seen(3, "[2001:db8:1:1::1]:1", table.Queried), entered},
	} {
		contact, got := r.observe(c.s)
		if _, kept := r.now().Get(c.s.Node); got != c.want || kept != (got == entered) || contact.ID != (kad.ID{}) != kept {
			t.Errorf("%+v: %d, kept %v, %+v", c.s, got, kept, contact)
		}
	}
	if c, _ := r.now().Get(seen(1, "1.1.1.1:1", 0).Node); c.Queries != 1 || c.Failures != 1 {
		t.Errorf("a known contact is %+v", c)
	}
}

// Beyond so many contacts only those that answer are let in.
func TestMaxContacts(t *testing.T) {
	r := rosterOf(0, 2)
	for _, c := range []struct {
		s    table.Sighting
		want entry
	}{
		{seen(1, "1.1.1.1:1", table.Mentioned), entered},
		{seen(2, "1.1.1.2:1", table.Queried), entered},
		{seen(3, "1.1.1.3:1", table.Mentioned), tooManyOther},
		{seen(3, "1.1.1.3:1", table.Queried), tooManyOther},
		{seen(3, "1.1.1.3:1", table.Failed), tooManyOther},
		{seen(3, "1.1.1.3:1", table.Replied), entered},
		{seen(3, "1.1.1.3:1", table.Queried), entered},
		{seen(1, "1.1.1.1:1", table.Mentioned), entered},
		{seen(4, "1.1.1.4:1", table.Mentioned), tooManyOther},
	} {
		if _, got := r.observe(c.s); got != c.want {
			t.Errorf("%+v: %d, want %d", c.s, got, c.want)
		}
	}
	if got := r.now().Len(); got != 3 {
		t.Errorf("%d contacts", got)
	}
}

// However many at once say the same of one who is new, nothing of it is refused,
// and no more enter than may.
func TestEntryAtOnce(t *testing.T) {
	for _, r := range []*roster{rosterOf(1, 0), rosterOf(0, 100), rosterOf(1, 100)} {
		for i := range 100 {
			node := kad.NodeInfo{ID: kad.ID{byte(i), 1}, Addr: netip.AddrPortFrom(voter(i), 1)}
			other := kad.NodeInfo{ID: kad.ID{byte(i), 2}, Addr: node.Addr}
			start := make(chan struct{})
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					<-start
					if _, e := r.observe(table.Sighting{Node: node, Time: noon, Event: table.Queried}); e != entered {
						t.Errorf("contact %d is refused: %d", i, e)
					}
				})
			}
			close(start)
			wg.Wait()
			if c, _ := r.now().Get(node); c.Queries != 8 {
				t.Errorf("%d of 8 queries are kept", c.Queries)
			}
			if r.perAddr > 0 {
				if _, e := r.observe(table.Sighting{Node: other, Time: noon, Event: table.Queried}); e == entered {
					t.Error("a second ID entered")
				}
			}
		}
	}
}

// meeting is a table whose first two searches for a contact wait for each other.
type meeting struct {
	table.Table
	meet sync.WaitGroup
	mu   sync.Mutex
	met  int
}

func (m *meeting) Get(node kad.NodeInfo) (table.Contact, bool) {
	c, ok := m.Table.Get(node)
	m.mu.Lock()
	m.met++
	first := m.met <= 2
	m.mu.Unlock()
	if first {
		m.meet.Done()
		m.meet.Wait()
	}
	return c, ok
}

// Two who find at one time that a contact is not known both have their sighting
// kept, though there is room for one contact.
func TestEntryOfOneContactTwice(t *testing.T) {
	for _, limits := range []Config{{MaxIDsPerAddr: 1}, {MaxContacts: 1}} {
		m := &meeting{Table: table.NewFlat()}
		m.meet.Add(2)
		limits.NewTable = func() table.Table { return m }
		r := newCommons(limits).four
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if _, e := r.observe(seen(1, "1.1.1.1:1", table.Queried)); e != entered {
					t.Errorf("refused: %d", e)
				}
			})
		}
		wg.Wait()
		if c, _ := r.now().Get(seen(1, "1.1.1.1:1", 0).Node); c.Queries != 2 {
			t.Errorf("%d queries are kept", c.Queries)
		}
	}
}

// Random sightings against a twin that counts by hand.
func TestEntryAgainstTwin(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 50 {
		perAddr, most := r.IntN(4), r.IntN(30)
		ros, twin := rosterOf(perAddr, most), map[kad.NodeInfo]bool{}
		for range 300 {
			s := table.Sighting{
				Node: kad.NodeInfo{ID: kad.ID{byte(r.IntN(6))}, Addr: netip.AddrPortFrom(voter(r.IntN(10)), uint16(1+r.IntN(2)))},
				Time: noon, Event: table.Event(1 + r.IntN(4)),
			}
			there := 0
			for node := range twin {
				if node.Addr.Addr() == s.Node.Addr.Addr() {
					there++
				}
			}
			want := entered
			switch {
			case twin[s.Node]:
			case most > 0 && len(twin) >= most && s.Event != table.Replied:
				want = tooManyOther
			case perAddr > 0 && there >= perAddr:
				want = tooManyIDs
			default:
				twin[s.Node] = true
			}
			if _, got := ros.observe(s); got != want {
				t.Fatalf("at most %d for each address and %d in all: %+v is %d, want %d", perAddr, most, s, got, want)
			}
			if ros.now().Len() != len(twin) {
				t.Fatalf("%d contacts, want %d", ros.now().Len(), len(twin))
			}
		}
	}
}

// restless is a table into which nothing can be copied without two more changes
// of what it is copied from, for as long as that goes on.
type restless struct {
	table.Table
	r      *roster
	copied int
}

func (t *restless) Restore(c table.Contact) bool {
	if t.copied++; t.copied > 1_000_000 {
		panic("the exchange does not end")
	}
	if t.r.mu.TryRLock() {
		t.r.mu.RUnlock()
		for i := range 2 {
			id := kad.ID{byte(t.copied >> 16), byte(t.copied >> 8), byte(t.copied), byte(i + 1)}
			t.r.observe(table.Sighting{Node: kad.NodeInfo{ID: id, Addr: netip.AddrPortFrom(voter(t.copied), 1)}, Time: noon, Event: table.Queried})
		}
	}
	return t.Table.Restore(c)
}

// An exchange comes to its end though more changes than is copied, and nothing
// is lost by it.
func TestExchangeEnds(t *testing.T) {
	r := rosterOf(0, 0)
	for i := range 1000 {
		r.observe(table.Sighting{Node: kad.NodeInfo{ID: kad.ID{255, 1}, Addr: netip.AddrPortFrom(voter(i), 1)}, Time: noon, Event: table.Queried})
	}
	from := r.now()
	to := &restless{Table: table.NewPrefix(), r: r}
	r.exchange(to)
	if r.now() != table.Table(to) || r.changed != nil {
		t.Fatal("it was not exchanged")
	}
	if to.Len() != from.Len() || to.Len() <= 1000 {
		t.Errorf("%d contacts of %d", to.Len(), from.Len())
	}
	for c := range from.All() {
		if got, _ := to.Get(c.Info()); got != c {
			t.Fatalf("%+v became %+v", c, got)
		}
	}
}

// hurried is a Recorder that has others run while it is told something.
type hurried struct{ twin table.Table }

func (h hurried) Record(row record.Row) {
	s, ok := row.(*record.Sighting)
	if !ok {
		return
	}
	h.twin.Observe(table.Sighting{Node: s.Node, Time: s.Time, Event: table.Event(s.Event), RTT: s.RTT})
	runtime.Gosched()
}

// Of one contact the recorder is told in the order in which the table is, though
// several goroutines tell: else an answer and a failure could change places.
func TestRecorderHasTheOrderOfTheTable(t *testing.T) {
	for range 200 {
		h := hurried{table.NewFlat()}
		n := publicNode(t, Config{Recorder: h})
		node := kad.NodeInfo{ID: kad.ID{7}, Addr: netip.AddrPortFrom(voter(1), 1)}
		var wg sync.WaitGroup
		for worker := range 4 {
			wg.Go(func() {
				for i := range 20 {
					event := table.Replied
					if worker%2 == 0 {
						event = table.Failed
					}
					n.observe(table.Sighting{Node: node, Time: noon, Event: event, RTT: time.Duration(100*worker + i)}, about{})
				}
			})
		}
		wg.Wait()
		is, _ := n.ends[0].table().Get(node)
		if should, _ := h.twin.Get(node); is != should {
			t.Fatalf("the table has   %+v\nthe recorder's %+v", is, should)
		}
		n.Close()
	}
}

// guarded is a table that is told histories only while none can be exchanged.
type guarded struct {
	table.Table
	t *testing.T
	r *roster
}

func (g *guarded) Merge(c table.Contact) bool {
	if g.r.swap.TryLock() {
		g.r.swap.Unlock()
		g.t.Error("tables may be exchanged meanwhile")
	}
	return g.Table.Merge(c)
}

// Histories wait while tables are exchanged: so many changes would draw that out.
func TestRestoreAndExchangeTakeTurns(t *testing.T) {
	r := rosterOf(0, 0)
	r.exchange(&guarded{table.NewFlat(), t, r})
	if r.restore(table.Contact{ID: kad.ID{1}, Addr: netip.MustParseAddrPort("1.1.1.1:1")}); r.now().Len() != 1 {
		t.Error("nothing was restored")
	}
}
