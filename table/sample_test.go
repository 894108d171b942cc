package table_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// Every contact is drawn as often as any other, however crowded its IDs: five
// of fifty in each sample, so each in a tenth of them.
func TestSampleIsUniform(t *testing.T) {
	const samples, size, drawn = 4000, 50, 5
	match := func(table.Contact) bool { return true }
	both(t, func(t *testing.T, kind string) {
		r := rand.New(rand.NewPCG(7, 7)) // fixed: a test of chance must not fail by chance
		tb := newTable(t, kind)
		zone := kad.MustParseID("8000000000000000000000000000000000000000").Prefix(1)
		for i := range size {
			id := sharing(r, zone.First(), 1+i%2*100)
			tb.Observe(replied(id, addr4(i), epoch))
		}
		for name, ask := range map[string]struct {
			p kad.Prefix
			f table.Filter
		}{
			"by chance":   {kad.Prefix{}, table.Filter{}},
			"with Match":  {kad.Prefix{}, table.Filter{Match: match}},
			"in a zone":   {zone, table.Good(epoch)},
			"in a zone 2": {zone, table.Filter{Match: match}},
			"distinct":    {zone, table.Filter{Distinct: true}},
		} {
			times := map[kad.NodeInfo]int{}
			for range samples {
				for _, c := range tb.Sample(r, drawn, ask.p, ask.f) {
					times[c.Info()]++
				}
			}
			const p = float64(drawn) / size
			deviation := math.Sqrt(samples * p * (1 - p))
			for node, n := range times {
				if math.Abs(float64(n)-samples*p) > 4.5*deviation {
					t.Errorf("%s: %v drawn %d times, want %.0f ± %.0f", name, node, n, samples*p, deviation)
				}
			}
			if len(times) != size {
				t.Errorf("%s: %d of %d ever drawn", name, len(times), size)
			}
		}
	})
}
