package analysis

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// drawPair draws the nodes around target 0 in order of distance, and what two
// lookups find of them: each node with the chance given.
func drawPair(r *rand.Rand, first, second func() bool) (p Pair) {
	for rank := byte(1); len(p.First) < 8 || len(p.Second) < 8; rank++ {
		id := kad.ID{rank}
		if first() && len(p.First) < 8 {
			p.First = append(p.First, id)
		}
		if second() && len(p.Second) < 8 {
			p.Second = append(p.Second, id)
		}
	}
	r.Shuffle(8, func(i, j int) { p.First[i], p.First[j] = p.First[j], p.First[i] })
	return p
}

func chance(r *rand.Rand, p float64) func() bool { return func() bool { return r.Float64() < p } }

func TestRecallAgainstKnownTruth(t *testing.T) {
	const seeds = 500
	for i, c := range []struct {
		targets       int
		first, second float64
	}{{32, 0.8, 0.95}, {32, 0.95, 0.7}, {64, 0.99, 0.99}, {8, 0.5, 0.5}, {32, 1, 0.9}} {
		r := source(t, uint64(500+i))
		held, sum, squares := 0, 0.0, 0.0
		for range seeds {
			var pairs []Pair
			for range c.targets {
				pairs = append(pairs, drawPair(r, chance(r, c.first), chance(r, c.second)))
			}
			e, err := Recall(pairs, 0.95)
			if err != nil {
				t.Fatal(err)
			}
			sum, squares = sum+e.Share/seeds, squares+e.Share*e.Share/seeds
			if e.Interval.Lo <= c.first && c.first <= e.Interval.Hi {
				held++
			}
		}
		se := math.Sqrt((squares - sum*sum) / seeds)
		if math.Abs(sum-c.first) > 3.5*se+1e-12 {
			t.Errorf("%+v: %.4f found on average, standard error %.4f", c, sum, se)
		}
		if float64(held) < 0.93*seeds {
			t.Errorf("%+v: %d of %d intervals hold the truth", c, held, seeds)
		}
	}
}

// Lookups that go wrong as a whole miss in groups: the interval allows for it, also
// where they are so rare that often none is among those made, and others miss but
// a node here and there.
func TestRecallOfGroups(t *testing.T) {
	const seeds, usual = 500, 0.99
	for i, c := range []struct {
		targets   int
		rate, bad float64 // how many are bad, and what those find
	}{{64, 0.1, 0.3}, {32, 0, 0}, {32, 0.05, 0.125}, {32, 0.02, 0.125}, {64, 0.02, 0.125}} {
		r := source(t, uint64(600+i))
		truth, above, below := (1-c.rate)*usual+c.rate*c.bad, 0, 0
		for range seeds {
			var pairs []Pair
			for range c.targets {
				found := usual
				if r.Float64() < c.rate {
					found = c.bad
				}
				pairs = append(pairs, drawPair(r, chance(r, found), chance(r, 0.95)))
			}
			e, err := Recall(pairs, 0.95)
			if err != nil {
				t.Fatal(err)
			}
			if e.Interval.Lo > truth {
				above++
			}
			if e.Interval.Hi < truth {
				below++
			}
		}
		if most := 0.025*seeds + 3.5*math.Sqrt(0.025*seeds); float64(above) > most || float64(below) > most {
			t.Errorf("%+v: of %d intervals %d lie above the truth and %d below", c, seeds, above, below)
		}
	}
}

// What both lookups miss for one reason does not show, as the comment warns.
func TestRecallIsHighWhenBothMissTheSame(t *testing.T) {
	r := source(t, 601)
	var pairs []Pair
	for range 200 {
		known := false // asked by the first lookup, and heard again by the second
		pairs = append(pairs, drawPair(r,
			func() bool { known = r.Float64() < 0.8; return known && r.Float64() < 0.9 },
			func() bool { return known && r.Float64() < 0.9 }))
	}
	if e, err := Recall(pairs, 0.95); err != nil || math.Abs(e.Share-0.9) > 0.03 {
		t.Errorf("%v, %v; the truth is 72 %%, and 90 %% of what either can find", e, err)
	}
}

func TestRecallByHand(t *testing.T) {
	ids := func(ranks ...byte) (all []kad.ID) {
		for _, rank := range ranks {
			all = append(all, kad.ID{0x4f ^ rank})
		}
		return all
	}
	pairs := []Pair{
		{kad.ID{0x4f}, ids(1, 2, 3, 4, 5, 6, 7, 8), ids(8, 7, 6, 5, 4, 3, 2, 1, 9, 10)},
		{kad.ID{0x4f}, ids(1, 3, 4, 5, 6, 7, 9, 10, 10), ids(2, 3, 4, 5, 6, 8, 9, 10)}, // of 1 to 8: 2, 3, 4, 5, 6, 8, not 2 and 8
		{kad.ID{0x4f}, ids(2), ids(2, 1)},
	}
	e, err := Recall(pairs, 0.95)
	if err != nil || e.Targets != 3 || e.Checked != 8+6+2 || e.Found != 8+4+1 || e.Share != 13.0/16 {
		t.Fatalf("%+v, %v", e, err)
	}
	if i := e.Interval; i.Level != 0.95 || !(0 < i.Lo && i.Lo < 0.5 && i.Hi > 0.95 && i.Hi < 1) || i.Method == "" {
		t.Errorf("interval %+v", i)
	}
	if got, want := e.String(), "81.2 % (95 % interval "; !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "13 of 16 nodes around 3 targets)") {
		t.Errorf("String() = %q", got)
	}
}

// With all found, the targets count for the nodes: (a/2)^(1/targets), and a little
// less by Student's t.
func TestRecallOfAllAndNone(t *testing.T) {
	all, none := Pair{First: contactsIn(8), Second: contactsIn(8)}, Pair{First: contactsIn(0, 8), Second: contactsIn(0, 0, 8)}
	e, err := Recall(slices.Repeat([]Pair{all}, 20), 0.95)
	if err != nil || e.Share != 1 || e.Interval.Hi != 1 || !close(e.Interval.Lo, 0.98*math.Pow(0.025, 1.0/20), 0.02) {
		t.Errorf("all found: %+v, %v", e, err)
	}
	e, err = Recall(slices.Repeat([]Pair{none}, 20), 0.95)
	if err != nil || e.Share != 0 || e.Interval.Lo != 0 || !close(e.Interval.Hi, 1-math.Pow(0.025, 1.0/20), 1e-6) {
		t.Errorf("none found: %+v, %v", e, err)
	}
}

// One node checked is hardly anything, and no reason to say nothing.
func TestRecallOfOneNode(t *testing.T) {
	one, other := Pair{First: contactsIn(1), Second: contactsIn(1)}, Pair{First: contactsIn(8)}
	e, err := Recall([]Pair{one, other}, 0.95)
	if i := e.Interval; err != nil || e.Checked != 1 || e.Share != 1 || !(i.Lo >= 0 && i.Lo < 0.1) || i.Hi != 1 {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestRecallErrors(t *testing.T) {
	one := Pair{First: contactsIn(8), Second: contactsIn(8)}
	for _, c := range []struct {
		pairs      []Pair
		confidence float64
		says       string
	}{
		{nil, 0.95, "0 targets that were looked up twice are too few"},
		{[]Pair{one}, 0.95, "want at least 2"},
		{[]Pair{{First: one.First}, {First: one.First}}, 0.95, "nothing to check"},
		{[]Pair{one, one}, 1, "confidence 1"},
	} {
		if e, err := Recall(c.pairs, c.confidence); err == nil || !strings.Contains(err.Error(), c.says) || e != (RecallEstimate{}) {
			t.Errorf("%v, %v; want an error with %q", e, err, c.says)
		}
	}
}
