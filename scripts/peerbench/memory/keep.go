package memory

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"time"

	dht "github.com/anacrolix/dht/v2"
	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/scripts/peerbench/contest"
	"github.com/lightdht/lightdht/table"
)

// keeping is what came of an offer.
type keeping struct {
	kept  int
	bytes float64   // for each contact kept
	since time.Time // when all of them were last good
}

// goodFor is how long contacts are left alone: both call them good for 15 minutes.
const goodFor = 5 * time.Minute

// lightKeeper is lightdht with the contacts it was offered.
type lightKeeper struct {
	keeping
	node *lightdht.Node
	far  *questions
}

// ready fills it, or has the contacts answer again when that is long ago.
func (k *lightKeeper) ready(_ context.Context, o *offer) (err error) {
	switch {
	case k.node == nil:
		k.far = newQuestions(o.asker())
		if k.node, err = newLight(newConn(k.far)); err != nil {
			return err
		}
		grown := heapGrowth(func() { k.observe(o) })
		k.kept = k.node.Len()
		k.bytes = grown / float64(k.kept)
	case time.Since(k.since) > goodFor:
		k.observe(o)
	}
	return nil
}

// observe has every contact on offer answer.
func (k *lightKeeper) observe(o *offer) {
	t := k.node.Table(kad.IPv4)
	k.since = time.Now()
	for c := range o.contacts() {
		t.Observe(table.Sighting{Node: c, Time: k.since, Event: table.Replied})
	}
}

// otherKeeper is anacrolix with what it kept of the contacts it was offered.
type otherKeeper struct {
	keeping
	server *dht.Server
	far    *questions
}

// ready fills it, or pings the contacts again when that is long ago.
func (k *otherKeeper) ready(ctx context.Context, o *offer) (err error) {
	if k.server == nil {
		k.far = newQuestions(o.asker())
		if k.server, err = newOther(newConn(k.far)); err != nil {
			return err
		}
		grown := heapGrowth(func() { k.add(o) })
		k.kept = k.server.NumNodes()
		k.bytes = grown / float64(k.kept)
	}
	if time.Since(k.since) > goodFor {
		return k.ping(ctx)
	}
	return nil
}

// add offers every contact. That there is no room for one is what AddNode calls
// an error.
func (k *otherKeeper) add(o *offer) {
	for c := range o.contacts() {
		k.server.AddNode(otherNode(c))
	}
}

// ping makes the contacts that were kept good: AddNode does not, and only those
// who answered us are handed out.
func (k *otherKeeper) ping(ctx context.Context) error {
	nodes, who := k.server.Nodes(), map[netip.AddrPort]kad.ID{}
	for _, node := range nodes {
		who[node.Addr.ToNodeAddrPort().AddrPort] = kad.ID(node.ID)
	}
	k.far.who.Store(&who)
	defer k.far.who.Store(nil)
	for _, node := range nodes {
		if res := k.server.Query(ctx, dht.NewAddr(node.Addr.UDP()), "ping", dht.QueryInput{}); res.Err != nil {
			return fmt.Errorf("ping of a contact that was kept: %w", res.Err)
		}
	}
	k.since = time.Now()
	return nil
}

// heapGrowth tells by how many bytes the heap is larger after f than before it,
// what is garbage not counted.
func heapGrowth(f func()) float64 {
	before := heap()
	f()
	return float64(heap()) - float64(before)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // pools are emptied in two steps
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// keepContests are what comes of an offer. A figure is found once.
func (o *offer) keepContests() []contest.Contest {
	kept := func(k *keeping) (float64, string) { return float64(k.kept), "" }
	size := func(k *keeping) (float64, string) {
		return k.bytes, fmt.Sprintf("growth of the heap after collection, by %d kept", k.kept)
	}
	return []contest.Contest{
		{Name: "contacts kept of " + short(o.size) + " offered", Unit: "contacts", More: true, Entrants: o.keepers(kept)},
		{Name: "memory of a contact, " + short(o.size) + " offered", Unit: "B", Entrants: o.keepers(size)},
	}
}

func (o *offer) keepers(tell func(*keeping) (float64, string)) []contest.Entrant {
	entrant := func(name string, ready func(context.Context, *offer) error, k *keeping) contest.Entrant {
		return contest.Entrant{Name: name, Run: func(ctx context.Context) (float64, string, error) {
			if err := ready(ctx, o); err != nil {
				return 0, "", err
			}
			figure, note := tell(k)
			return figure, note, nil
		}}
	}
	return []contest.Entrant{
		entrant(lightName, o.light.ready, &o.light.keeping),
		entrant(otherName, o.other.ready, &o.other.keeping),
	}
}
