package main

import (
	"math"
	"slices"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

func testSources() map[string]source {
	o := benchOptions{contacts: 2000, seed: 7}
	crowd, crowdTargets := o.crowdSource()
	similar, similarTargets := o.similarSource()
	return map[string]source{
		"contacts": o.contactSource(), "targets": newSource(7, forTargets, 0), "crowd": crowd, "crowd targets": crowdTargets,
		"similar": similar, "similar targets": similarTargets, "other seed": newSource(8, forContacts, 0),
	}
}

// No two sources make the same ID, nor the nodes of one table the same address.
func TestSourcesDiffer(t *testing.T) {
	const n = 3000
	seen, addrs := map[kad.ID]string{}, map[string]bool{}
	for name, s := range testSources() {
		for i := range uint64(n) {
			node := s.node(i)
			if other, again := seen[node.ID]; again {
				t.Fatalf("%s and %s both make %s", name, other, node.ID)
			}
			seen[node.ID] = name
			if name == "contacts" || name == "crowd" {
				addrs[node.Addr.String()] = true
			}
			if again := s.node(i); again != node || s.id(i) != node.ID {
				t.Fatalf("%s %d: now %v, then %v", name, i, node, again)
			}
		}
	}
	if len(addrs) != 2*n {
		t.Errorf("%d addresses, want %d", len(addrs), 2*n)
	}
}

// Every bit of uniform IDs is set in half of them.
func TestSourceIsUniform(t *testing.T) {
	const n = 4000
	for _, name := range []string{"contacts", "targets"} {
		s := testSources()[name]
		var ones [kad.Bits]int
		for i := range uint64(n) {
			id := s.id(i)
			for bit := range ones {
				ones[bit] += id.Bit(bit)
			}
		}
		for bit, got := range ones {
			if math.Abs(float64(got)-n/2) > 5*math.Sqrt(n)/2 {
				t.Errorf("%s: bit %d is set in %d of %d", name, bit, got, n)
			}
		}
	}
}

// Numbers are drawn from all and evenly.
func TestDraw(t *testing.T) {
	s := newSource(1, forOrder, 0)
	var drawn [10]int
	for i := range uint64(10_000) {
		drawn[s.draw(i, len(drawn))]++
	}
	if slices.Min(drawn[:]) < 850 || slices.Max(drawn[:]) > 1150 {
		t.Errorf("drawn %v", drawn)
	}
}

func commonPrefix(a, b kad.ID) (n int) {
	for n < kad.Bits && a.Bit(n) == b.Bit(n) {
		n++
	}
	return n
}

// Similar IDs and their targets share 100 bits, and the next are random.
func TestSimilarSource(t *testing.T) {
	sources := testSources()
	similar, targets := sources["similar"], sources["similar targets"]
	least, next := kad.Bits, 0
	for i := range uint64(1000) {
		for _, id := range []kad.ID{similar.id(i), targets.id(i)} {
			least = min(least, commonPrefix(id, similar.id(0)))
			next += id.Bit(sharedBits) + id.Bit(kad.Bits-1)
		}
	}
	if least != sharedBits || next < 1800 || next > 2200 {
		t.Errorf("%d bits are shared, want %d; of the next and the last %d of 4000 are set", least, sharedBits, next)
	}
}

// All of a crowd are nearer to each of its targets than anybody else.
func TestCrowdIsNearer(t *testing.T) {
	sources := testSources()
	crowd, targets, contacts := sources["crowd"], sources["crowd targets"], sources["contacts"]
	for k := range uint64(50) {
		target := targets.id(k)
		farthest, nearest := target, contacts.id(0)
		for i := range uint64(2000) {
			if id := crowd.id(i); target.Closer(farthest, id) {
				farthest = id
			}
			if id := contacts.id(i); target.Closer(id, nearest) {
				nearest = id
			}
		}
		if !target.Closer(farthest, nearest) {
			t.Fatalf("target %s: %s of the crowd is farther than %s", target, farthest, nearest)
		}
	}
}

func goOn(int) error { return nil }

// Nine of ten are bad, with the history that failures give them, and all are who
// they were.
func TestSpoil(t *testing.T) {
	const n = 2000
	s := testSources()["contacts"]
	for name, how := range map[string]table.Sighting{"answered": answered(), "mentioned": mentioned()} {
		spoiled, seen := table.NewPrefix(), table.NewPrefix()
		for _, tb := range []table.Table{spoiled, seen} {
			if err := observe(tb, &s, n, how, goOn); err != nil {
				t.Fatal(err)
			}
		}
		if err := spoil(spoiled, &s, n, how, goOn); err != nil {
			t.Fatal(err)
		}
		bad := 0
		for i := range n {
			node := s.node(uint64(i))
			for range table.BadAfter {
				if i%oneGood != 0 {
					seen.Observe(table.Sighting{Node: node, Time: benchTime, Event: table.Failed})
				}
			}
			got, _ := spoiled.Get(node)
			if want, _ := seen.Get(node); got != want {
				t.Fatalf("%s: got %+v, want %+v", name, got, want)
			}
			if got.State(benchTime) == table.StateBad {
				bad++
			}
		}
		if bad != n/10*9 || spoiled.Len() != n {
			t.Errorf("%s: %d of %d are bad, want 90 %%", name, bad, spoiled.Len())
		}
	}
}
