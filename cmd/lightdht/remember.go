package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// remember has cfg be who the node was when it ran last on this network, unless
// another process is that now. With an ID that was given for once, only the port
// is remembered, and the other ID stays what it was.
func (k *keeper) remember(cfg *lightdht.Config, given bool) {
	k.given = given
	claim, err := k.whoever()
	if err != nil {
		k.problem(adviseOwner(err))
		return
	}
	if k.claim = claim; claim != nil {
		k.saved = claim.Identity
		cfg.Last = lightdht.Identity{ID: claim.ID, Addr4: claim.Addr4, Addr6: claim.Addr6}
	}
}

// whoever returns the identity that the store remembers. One that cannot be read is
// none: it is put aside, which is told once.
func (k *keeper) whoever() (*dataset.Claim, error) {
	claim, err := k.store.Claim()
	if err == nil || !isSpoilt(err) {
		return claim, err
	}
	name := filepath.Join(k.store.Dir(), "identity.json")
	if e := os.Rename(name, name+".spoilt"); e != nil {
		return nil, fmt.Errorf("%w: remove it", err)
	}
	k.problem(fmt.Errorf("%w: kept as %s.spoilt, to be removed at will; we are somebody else now", err, name))
	return k.store.Claim()
}

// isSpoilt reports whether an error of a store says that a file of it has no sense.
// One that a newer program wrote has.
func isSpoilt(err error) bool {
	return strings.Contains(err.Error(), "spoilt") || strings.Contains(err.Error(), "not written by lightdht")
}

// listen has nodes listen at the port of the last run, unless --listen was given;
// where that cannot be had, at any.
func (k *keeper) listen(at string, given bool, open func(at string) error) error {
	host, _, err := net.SplitHostPort(at)
	if k == nil || given || err != nil || k.saved.Port == 0 {
		return open(at)
	}
	port := strconv.Itoa(int(k.saved.Port))
	if open(net.JoinHostPort(host, port)) == nil {
		return nil
	}
	if err := open(at); err != nil {
		return err
	}
	k.say("port %s, that of the last run, cannot be had: listening at another", port)
	return nil
}

// save keeps who the first node is now, for the next run.
func (k *keeper) save() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.claim == nil || len(k.nodes) == 0 {
		return
	}
	now := identityOf(k.nodes[0])
	if k.given {
		now.ID = k.saved.ID
	}
	if now.Format = k.saved.Format; now == k.saved {
		return
	}
	if k.claim.Save(now) == nil { // else the journal, which is on the same disk, soon says why
		k.saved = k.claim.Identity
	}
}

// identityOf returns who a node is now, as it is saved.
func identityOf(n *lightdht.Node) dataset.Identity {
	who := n.Identity()
	id := dataset.Identity{ID: who.ID, Addr4: who.Addr4, Addr6: who.Addr6}
	for _, f := range []kad.Family{kad.IPv6, kad.IPv4} { // they listen at one port, if they can
		if at := n.Addr(f); at.IsValid() {
			id.Port = at.Port()
		}
	}
	return id
}

const (
	fewToBegin = 300  // contacts that a run begins with
	fewToLeave = 512  // and leaves to the next
	fewDrawn   = 8192 // contacts of a table that are looked at for these
)

// introduce tells a node whom the runs before found good.
func (k *keeper) introduce(n *lightdht.Node) {
	good := k.store.Good(fewToBegin)
	known, err := n.Restore(slices.Values(good))
	if err == nil {
		k.log("contacts known from before", "contacts", known)
	}
}

// load tells a node of everybody whom the runs before heard of.
func (k *keeper) load(ctx context.Context, n *lightdht.Node) {
	var trouble error
	_, err := n.Restore(func(yield func(table.Contact) bool) {
		for c, err := range k.store.Contacts(dataset.Filter{But: []dataset.RunID{k.run.ID()}}) {
			if trouble = err; err != nil || ctx.Err() != nil || !yield(c.Contact()) {
				return
			}
		}
	})
	if errors.Is(err, lightdht.ErrClosed) || ctx.Err() != nil {
		return
	}
	if trouble != nil {
		k.say("not all contacts of %s could be loaded: %s", k.store.Dir(), oneLine(trouble))
	}
}

// mend ends the runs of programs that died.
func (k *keeper) mend() {
	n, err := k.store.Mend()
	if err != nil {
		k.problem(err)
	}
	if n > 0 {
		k.say("store: %s of programs that died put in order", some(n, "run"))
	}
}

// good returns contacts that the next run can begin with: half of them, at most,
// those that the nodes keep fresh, the others drawn from the tables.
func (k *keeper) good() (good []table.Contact) {
	k.mu.Lock()
	nodes := k.nodes
	k.mu.Unlock()
	now := time.Now()
	for _, f := range []kad.Family{kad.IPv4, kad.IPv6} {
		if of := withFamily(nodes, f); len(of) > 0 {
			good = append(good, goodOf(of, f, now, fewToLeave/2)...)
		}
	}
	return good
}

// withFamily returns the nodes that have a family.
func withFamily(nodes []*lightdht.Node, f kad.Family) (of []*lightdht.Node) {
	for _, n := range nodes {
		if n.Addr(f).IsValid() {
			of = append(of, n)
		}
	}
	return of
}

// goodOf returns at most n good contacts of a family, of different IDs and
// addresses.
func goodOf(nodes []*lightdht.Node, f kad.Family, now time.Time, most int) []table.Contact {
	tb, rng := nodes[0].Table(f), rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	p := picked{ids: map[kad.ID]bool{}, addrs: map[netip.AddrPort]bool{}, now: now}
	var core []kad.NodeInfo
	for _, n := range nodes {
		core = append(core, n.Core(f)...)
	}
	rng.Shuffle(len(core), func(i, j int) { core[i], core[j] = core[j], core[i] })
	for _, info := range core {
		if c, ok := tb.Get(info); ok {
			p.add(c, most/2)
		}
	}
	for _, c := range tb.Sample(rng, fewDrawn, kad.Prefix{}, table.Filter{Now: now, Answered: true, Public: true}) {
		p.add(c, most)
	}
	return p.good
}

// picked is contacts of different IDs and addresses, all good.
type picked struct {
	good  []table.Contact
	ids   map[kad.ID]bool
	addrs map[netip.AddrPort]bool
	now   time.Time
}

// add adds a contact while there are fewer than most.
func (p *picked) add(c table.Contact, most int) {
	if len(p.good) >= most || c.State(p.now) != table.StateGood || c.Router || p.ids[c.ID] || p.addrs[c.Addr] {
		return
	}
	p.ids[c.ID], p.addrs[c.Addr] = true, true
	p.good = append(p.good, c)
}
