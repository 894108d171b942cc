package main

import (
	"fmt"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// crowdBits is how long a prefix the IDs of a crowd share with what is searched
// for: longer than anybody else does.
const crowdBits = 48

// crowdSource returns the source of a crowd, whose addresses lie behind those of
// all others, and that of the targets that it is nearest to.
func (o *benchOptions) crowdSource() (crowd, targets source) {
	behind := o.contacts + addedAtWork(o.contacts)
	crowd = newSource(o.seed, forCrowd, behind).sharing(crowdBits, o.seed)
	return crowd, newSource(o.seed, forCrowdTargets, 0).sharing(crowdBits, o.seed)
}

// crowd has many come who never answered, and measures searches for those who
// did and are farther than all of them.
func (b *tableBench) crowd() error {
	n := crowdOf(b.contacts)
	crowd, targets := b.crowdSource()
	if err := observe(b.t, &crowd, n, mentioned(), b.each("crowding", n)); err != nil {
		return err
	}
	return b.search(fmt.Sprintf("8 good, %s others nearer", amount(n)), targets, 8, table.Good(benchTime))
}

// mostBad has nine of ten fail, of the crowd too, and measures searches for those
// who did not.
func (b *tableBench) mostBad() error {
	n := crowdOf(b.contacts)
	crowd, _ := b.crowdSource()
	targets := newSource(b.seed, forTargets, 0)
	return inOrder(
		func() error { return spoil(b.t, &b.nodes, b.size, answered(), b.each("spoiling", b.size)) },
		func() error { return spoil(b.t, &crowd, n, mentioned(), b.each("spoiling", n)) },
		func() error { return b.search("8 good, 90 % bad", targets, 8, table.Good(benchTime)) },
		func() error { return b.check("good", &b.nodes, b.size, oneGood, targets, table.Good(benchTime)) },
	)
}

// sharedBits is how long a prefix similar IDs share.
const sharedBits = 100

// similarSource returns a source of IDs that are similar, and one of targets that
// are so, too.
func (o *benchOptions) similarSource() (nodes, targets source) {
	return newSource(o.seed, forShared, 0).sharing(sharedBits, o.seed), newSource(o.seed, forSharedTargets, 0).sharing(sharedBits, o.seed)
}

// similar compares searches among IDs that share a long prefix with searches
// among as many uniform ones, in tables of their own.
func (b *tableBench) similar() error {
	n := sharedOf(b.contacts)
	nodes, targets := b.similarSource()
	b.t = nil // it goes before others come
	uniform, err := b.among(newSource(b.seed, forUniform, 0), n)
	if err != nil {
		return err
	}
	if b.t, err = b.among(nodes, n); err != nil {
		return err
	}
	b.progress("measuring %s: IDs that share %d bits", b.kind, sharedBits)
	meters, err := measure(b.ctx, b.time,
		b.searching(b.t, targets, 8, table.Filter{}),
		b.searching(uniform, newSource(b.seed, forTargets, 0), 8, table.Filter{}))
	if err != nil {
		return err
	}
	if err := b.checkFound("8 of uniform IDs", 8); err != nil {
		return err
	}
	ratio := figure{"sharing : uniform", n, meters[0].ratio(&meters[1]), "ratio", noAllocs, "of slices side by side"}
	return inOrder(
		func() error { return b.print(meters[0].figure(fmt.Sprintf("8 of IDs sharing %d bits", sharedBits), n)) },
		func() error { return b.print(meters[1].figure("8 of uniform IDs", n)) },
		func() error { return b.print(ratio) },
		func() error { return b.check("shared", &nodes, n, 1, targets, table.Filter{}) },
	)
}

// among returns a table with the first n of s.
func (b *tableBench) among(s source, n int) (table.Table, error) {
	t, err := table.New(b.kind)
	if err != nil {
		return nil, err
	}
	return t, observe(t, &s, n, answered(), b.each("filling", n))
}

// checkAll compares searches in the fresh table.
func (b *tableBench) checkAll() error {
	return b.check("all", &b.nodes, b.size, 1, newSource(b.seed, forTargets, 0), table.Filter{})
}

// checkTargets is how many searches are compared at a time, each for 8.
const checkTargets, checkNearest = 24, 8

// check compares searches with a plain scan over every step-th of the first n
// contacts that were put in.
func (b *tableBench) check(what string, s *source, n, step int, targets source, f table.Filter) error {
	scans := make([]scan, checkTargets)
	for i := range scans {
		scans[i].target = targets.id(uint64(i))
	}
	each := b.each("checking", n)
	for i := 0; i < n; i += step {
		node := s.node(uint64(i))
		for k := range scans {
			scans[k].add(node)
		}
		if err := each(i); err != nil {
			return err
		}
	}
	equal := 0
	for k := range scans {
		if scans[k].is(b.t.AppendNearest(nil, scans[k].target, checkNearest, f)) {
			equal++
		}
	}
	b.exact.add(what, equal)
	return b.ctx.Err()
}

// scan keeps the nearest to its target of all nodes that it is shown.
type scan struct {
	target  kad.ID
	nearest []kad.NodeInfo
}

func (s *scan) add(n kad.NodeInfo) {
	i := len(s.nearest)
	for i > 0 && s.target.Closer(n.ID, s.nearest[i-1].ID) {
		i--
	}
	if i == checkNearest {
		return
	}
	if len(s.nearest) < checkNearest {
		s.nearest = append(s.nearest, n)
	}
	copy(s.nearest[i+1:], s.nearest[i:])
	s.nearest[i] = n
}

// is reports whether found is what the scan found, in this order.
func (s *scan) is(found []table.Contact) bool {
	if len(found) != len(s.nearest) {
		return false
	}
	for i := range found {
		if found[i].Info() != s.nearest[i] {
			return false
		}
	}
	return true
}

// tally counts the searches that were compared.
type tally struct {
	equal, all int
	wrong      string // the kinds of search that were not exact
}

func (t *tally) add(what string, equal int) {
	t.equal += equal
	t.all += checkTargets
	if equal < checkTargets {
		t.wrong += fmt.Sprintf(", %s %d of %d", what, equal, checkTargets)
	}
}

// tellExact prints how many searches were exact, and fails unless all were.
func (b *tableBench) tellExact() error {
	detail := fmt.Sprintf("exact (%d of %d)", b.exact.equal, b.exact.all)
	if b.exact.wrong != "" {
		detail = "NOT " + detail
	}
	if err := b.print(figure{"as a plain scan found", b.contacts, float64(b.exact.equal), "searches", noAllocs, detail}); err != nil {
		return err
	}
	if b.exact.wrong != "" {
		return fmt.Errorf("WRONG: table %s did not find the 8 nearest: %s%s", b.kind, detail, b.exact.wrong)
	}
	return nil
}
