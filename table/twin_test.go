package table_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// twin is the slow, obvious table: a slice of contacts, sorted when asked.
type twin struct{ all []table.Contact }

func (w *twin) observe(s table.Sighting) (table.Contact, bool) {
	i := slices.IndexFunc(w.all, func(c table.Contact) bool { return c.Info() == s.Node })
	if i < 0 {
		origin := s.Origin
		if origin == 0 {
			origin = map[table.Event]table.Origin{table.Queried: table.FromQuery, table.Replied: table.FromReply,
				table.Failed: table.FromBootstrap, table.Mentioned: table.FromMention}[s.Event]
		}
		c := table.Contact{ID: s.Node.ID, Addr: s.Node.Addr, FirstSeen: s.Time, LastSeen: s.Time, Origin: origin}
		w.all = append(w.all, twinApply(c, s))
		return w.all[len(w.all)-1], true
	}
	w.all[i] = twinApply(w.all[i], s)
	return w.all[i], false
}

func (w *twin) restore(c table.Contact) (added bool) {
	i := slices.IndexFunc(w.all, func(known table.Contact) bool { return known.Info() == c.Info() })
	if i < 0 {
		w.all = append(w.all, c)
		return true
	}
	w.all[i] = c
	return false
}

func twinApply(c table.Contact, s table.Sighting) table.Contact {
	c.Router = c.Router || s.Router
	if s.Time.Before(c.FirstSeen) {
		c.FirstSeen = s.Time
	}
	if s.Event == table.Failed {
		c.Failures = min(c.Failures+1, 255)
		return c
	}
	if s.Version != nil && s.Event != table.Mentioned && !s.Time.Before(c.LastQuery) && !s.Time.Before(c.LastReply) {
		c.Version = string(s.Version)
	}
	c.LastSeen = latest(c.LastSeen, s.Time)
	switch s.Event {
	case table.Queried:
		if !s.Time.Before(c.LastQuery) {
			c.ReadOnly = s.ReadOnly
		}
		c.LastQuery = latest(c.LastQuery, s.Time)
		c.Queries = more(c.Queries)
	case table.Replied:
		if !s.Time.Before(c.LastReply) {
			c.LastRTT = s.RTT
		}
		c.LastReply = latest(c.LastReply, s.Time)
		c.Replies = more(c.Replies)
		c.Failures = 0
	}
	return c
}

// more is n and one, as far as it goes.
func more(n uint32) uint32 { return uint32(min(uint64(n)+1, math.MaxUint32)) }

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// nearest returns all that pass, in order.
func (w *twin) nearest(target kad.ID, f table.Filter) []table.Contact {
	sorted := slices.Clone(w.all)
	slices.SortFunc(sorted, func(a, b table.Contact) int {
		if c := target.CompareDistance(a.ID, b.ID); c != 0 {
			return c
		}
		return a.Addr.Compare(b.Addr)
	})
	ids, addrs := map[kad.ID]bool{}, map[netip.AddrPort]bool{}
	return slices.DeleteFunc(sorted, func(c table.Contact) bool {
		if !twinPasses(c, f) || f.Distinct && (ids[c.ID] || addrs[c.Addr]) {
			return true
		}
		ids[c.ID], addrs[c.Addr] = true, true
		return false
	})
}

func twinPasses(c table.Contact, f table.Filter) bool {
	return (f.States == 0 || c.State(f.Now)&f.States != 0) &&
		(!f.Answered || !c.LastReply.IsZero()) &&
		(!f.Public || !c.Router && (!c.ReadOnly || !c.LastReply.IsZero())) &&
		(f.Match == nil || f.Match(c))
}

func (w *twin) under(p kad.Prefix) []table.Contact {
	return slices.DeleteFunc(w.nearest(kad.ID{}, table.Filter{}), func(c table.Contact) bool { return !p.Contains(c.ID) })
}

// world draws sightings and questions that hurt: few IDs and addresses, or IDs
// that share a prefix of a length that matters, and times in any order or on
// the whole moving on.
type world struct {
	r      *rand.Rand
	center kad.ID
	shared []int // draw one: how many bits IDs share with center
	addrs  int
	pace   time.Duration // how far the time moves on with each sighting, at most; 0: it does not
	now    time.Duration // since epoch
}

func (w world) id() kad.ID {
	id := sharing(w.r, w.center, w.shared[w.r.IntN(len(w.shared))])
	if w.r.IntN(4) == 0 { // a few IDs in all
		id = w.center.Prefix(155).Fill(id)
	}
	return id
}

func (w world) node() kad.NodeInfo {
	n := kad.NodeInfo{ID: w.id(), Addr: addr4(w.r.IntN(w.addrs))}
	if w.r.IntN(3) == 0 {
		n.Addr = addr6(w.r.IntN(w.addrs))
	}
	return n
}

// time is within an hour when the time does not move on. When it does, it is
// now, a while ago, what a clock says that is ahead, or far off.
func (w world) time() time.Time {
	d := time.Duration(w.r.IntN(3600)) * time.Second
	if w.pace == 0 {
		return epoch.Add(d)
	}
	now := epoch.Add(w.now.Truncate(time.Second))
	switch w.r.IntN(100) {
	case 0, 1, 2, 3, 4:
		return now.Add(-d)
	case 5, 6:
		return now.Add(d)
	case 7:
		return now.AddDate(w.r.IntN(60)-30, 0, 0)
	}
	return now
}

// tick moves the time on, and now and then back.
func (w *world) tick() {
	if w.pace == 0 {
		return
	}
	w.now += time.Duration(w.r.Int64N(int64(w.pace)))
	if w.r.IntN(200) == 0 {
		w.now = max(w.now-time.Duration(w.r.Int64N(int64(time.Hour))), 0)
	}
}

// moment is when a question is asked: before, at or after the time, often by
// about as much as a contact stays good.
func (w world) moment() time.Time {
	now := w.time().Add(time.Duration(w.r.IntN(2)) * time.Millisecond)
	if w.pace == 0 || w.r.IntN(2) == 0 {
		return now
	}
	return now.Add(time.Duration(w.r.IntN(5)-2) * table.FreshFor).Add(time.Duration(w.r.IntN(240)-120) * time.Second)
}

// contact draws a contact that a table may have given.
func (w world) contact() table.Contact {
	n := w.node()
	c := table.Contact{ID: n.ID, Addr: n.Addr, FirstSeen: w.time(), Queries: w.r.Uint32(), Replies: w.r.Uint32(),
		Failures: w.r.IntN(256), LastRTT: time.Duration(w.r.Int64N(1 << 40)), Origin: table.Origin(1 + w.r.IntN(5)),
		ReadOnly: w.r.IntN(3) == 0, Router: w.r.IntN(20) == 0, Version: strings.Repeat("v", w.r.IntN(65))}
	if w.r.IntN(2) == 0 {
		c.Failures = w.r.IntN(4)
	}
	if w.r.IntN(4) > 0 {
		c.LastReply = w.time()
	}
	if w.r.IntN(2) > 0 {
		c.LastQuery = w.time()
	}
	c.LastSeen = latest(latest(c.FirstSeen, w.time()), latest(c.LastReply, c.LastQuery))
	return c
}

func (w world) sighting() table.Sighting {
	s := table.Sighting{Node: w.node(), Time: w.time(), Event: table.Event(1 + w.r.IntN(4)),
		RTT: time.Duration(w.r.Int64N(1e12)), ReadOnly: w.r.IntN(3) == 0, Router: w.r.IntN(20) == 0,
		Origin: table.Origin(w.r.IntN(6))}
	if w.r.IntN(2) == 0 {
		s.Version = []byte{'U', byte(w.r.IntN(5))}
	}
	return s
}

func (w world) filter() table.Filter {
	f := table.Filter{Now: w.moment()}
	if w.r.IntN(2) == 0 {
		f.States = table.State(w.r.IntN(8))
	}
	f.Answered, f.Public, f.Distinct = w.r.IntN(4) == 0, w.r.IntN(4) == 0, w.r.IntN(3) == 0
	if w.r.IntN(4) == 0 {
		f.Match = func(c table.Contact) bool { return c.Addr.Addr().As16()[15]&1 == 0 }
	}
	return f
}

// compare asks a table and its twin the same questions.
func (w world) compare(t testing.TB, tb table.Table, tw *twin) {
	target, f := w.id(), w.filter()
	if w.r.IntN(3) == 0 {
		target = randomID(w.r)
	}
	want := tw.nearest(target, f)
	same(t, "Nearest", slices.Collect(tb.Nearest(target, f)), want)
	for _, n := range []int{1, 8, 1 + w.r.IntN(len(tw.all)+2)} {
		same(t, "AppendNearest", tb.AppendNearest(nil, target, n, f), want[:min(n, len(want))])
	}
	p := w.id().Prefix(w.r.IntN(161))
	under := slices.SortedFunc(tb.Under(p), func(a, b table.Contact) int {
		if c := a.ID.Compare(b.ID); c != 0 {
			return c
		}
		return a.Addr.Compare(b.Addr)
	})
	same(t, "Under", under, tw.under(p))
	if got := tb.Count(p); got != len(under) {
		t.Fatalf("Count(%v) is %d, want %d", p, got, len(under))
	}
	w.compareSample(t, tb, tw, p, f)
	if tb.Len() != len(tw.all) {
		t.Fatalf("Len is %d, want %d", tb.Len(), len(tw.all))
	}
}

// compareSample holds samples to what does not depend on chance.
func (w world) compareSample(t testing.TB, tb table.Table, tw *twin, p kad.Prefix, f table.Filter) {
	if w.r.IntN(2) == 0 {
		p = kad.Prefix{}
	}
	passing := slices.DeleteFunc(tw.under(p), func(c table.Contact) bool { return !twinPasses(c, f) })
	n := w.r.IntN(20)
	got := tb.Sample(w.r, n, p, f)
	ids, addrs, infos := map[kad.ID]bool{}, map[netip.AddrPort]bool{}, map[kad.NodeInfo]bool{}
	for _, c := range got {
		if infos[c.Info()] || f.Distinct && (ids[c.ID] || addrs[c.Addr]) {
			t.Fatalf("Sample has %v twice", c.Info())
		}
		if !slices.Contains(passing, c) {
			t.Fatalf("Sample has %v, which does not pass", c)
		}
		ids[c.ID], addrs[c.Addr], infos[c.Info()] = true, true, true
	}
	if !f.Distinct && len(got) != min(n, len(passing)) {
		t.Fatalf("Sample has %d, want %d", len(got), min(n, len(passing)))
	}
}

// run performs steps sightings and compares after some of them. Now and then it
// puts back a contact, or more of its history, or moves all to a table of the other kind and goes on there.
func (w world) run(t testing.TB, kind string, steps, every int) {
	tb, tw := newTable(t, kind), &twin{}
	for i := range steps {
		w.tick()
		switch w.r.IntN(20) {
		case 0:
			w.restore(t, tb, tw)
		case 1:
			w.merge(t, tb, tw)
		default:
			w.observe(t, tb, tw)
		}
		if i%every == 0 || i == steps-1 {
			w.compare(t, tb, tw)
		}
		if w.r.IntN(steps) < 3 {
			kind, tb = moved(t, kind, tb)
			w.compare(t, tb, tw)
		}
	}
}

func (w world) observe(t testing.TB, tb table.Table, tw *twin) {
	s := w.sighting()
	got, added := tb.Observe(s)
	want, isNew := tw.observe(s)
	if got != want || added != isNew {
		t.Fatalf("Observe gave\n\t%v %v, want\n\t%v %v", got, added, want, isNew)
	}
	if known, ok := tb.Get(s.Node); !ok || known != want {
		t.Fatalf("Get gave %v %v, want %v", known, ok, want)
	}
}

func (w world) restore(t testing.TB, tb table.Table, tw *twin) {
	c := w.contact()
	if added, isNew := tb.Restore(c), tw.restore(c); added != isNew {
		t.Fatalf("Restore gave %v, want %v", added, isNew)
	}
	if got, ok := tb.Get(c.Info()); !ok || got != c {
		t.Fatalf("restored\n\t%v, got\n\t%v %v", c, got, ok)
	}
}

func (w world) merge(t testing.TB, tb table.Table, tw *twin) {
	c := w.contact()
	known, _ := tb.Get(c.Info())
	if added, isNew := tb.Merge(c), tw.merge(c); added != isNew {
		t.Fatalf("Merge gave %v, want %v", added, isNew)
	}
	want := tw.all[slices.IndexFunc(tw.all, func(m table.Contact) bool { return m.Info() == c.Info() })]
	if got, ok := tb.Get(c.Info()); !ok || got != want {
		t.Fatalf("merged\n\t%v into\n\t%v, got\n\t%v, want\n\t%v", c, known, got, want)
	}
}

// moved returns a table of the other kind with all that tb holds.
func moved(t testing.TB, kind string, tb table.Table) (string, table.Table) {
	kind = map[string]string{"flat": "prefix", "prefix": "flat"}[kind]
	to := newTable(t, kind)
	for c := range tb.All() {
		if !to.Restore(c) {
			t.Fatalf("%v was there before", c.Info())
		}
		if got, ok := to.Get(c.Info()); !ok || got != c {
			t.Fatalf("moved\n\t%v, got\n\t%v %v", c, got, ok)
		}
	}
	return kind, to
}

func TestTwin(t *testing.T) {
	worlds := map[string][]int{
		"uniform": {0}, "63 bits": {63}, "64 bits": {64}, "65 bits": {65}, "100 bits": {100}, "159 bits": {159},
		"one ID": {160}, "mixed": {0, 0, 0, 3, 60, 63, 64, 65, 66, 100, 127, 128, 129, 150, 159, 160},
	}
	both(t, func(t *testing.T, kind string) {
		for name, shared := range worlds {
			t.Run(name, func(t *testing.T) {
				r := seeded(t)
				w := world{r: r, center: randomID(r), shared: shared, addrs: 1 + r.IntN(2000)}
				w.run(t, kind, 1500, 100)
				w.addrs = 3
				w.run(t, kind, 100, 2)
			})
		}
	})
}

// The time moves on, so that contacts go stale and come back, a few or nearly
// all at a time.
func TestTwinInTime(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		for _, pace := range []time.Duration{2 * time.Second, 10 * time.Second, time.Minute, 10 * time.Minute} {
			for _, addrs := range []int{2, 30, 500} {
				t.Run(fmt.Sprintf("%v, %d", pace, addrs), func(t *testing.T) {
					r := seeded(t)
					w := world{r: r, center: randomID(r), shared: []int{0, 100, 156}, addrs: addrs, pace: pace}
					w.run(t, kind, 1500, 30)
				})
			}
		}
	})
}

// FuzzTwin turns bytes into a world: how crowded, how many addresses, how fast
// the time, a seed.
func FuzzTwin(f *testing.F) {
	f.Add(uint64(1), uint8(0), uint8(64), uint16(500), uint16(300), uint8(0))
	f.Add(uint64(2), uint8(160), uint8(100), uint16(3), uint16(300), uint8(0))
	f.Add(uint64(3), uint8(157), uint8(100), uint16(100), uint16(900), uint8(30))
	f.Fuzz(func(t *testing.T, seed uint64, a, b uint8, addrs, steps uint16, pace uint8) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := world{r: r, center: randomID(r), shared: []int{int(a) % 161, int(b) % 161}, addrs: 1 + int(addrs),
			pace: time.Duration(pace) * time.Second}
		for _, kind := range []string{"flat", "prefix"} {
			w.run(t, kind, 1+int(steps)%1000, 50)
		}
	})
}
