package figure

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/lightdht/lightdht/lightdht/analysis"
)

// around is an interval of so much below and above v, as a share of it.
func around(v, share float64) analysis.Interval {
	return analysis.Interval{Lo: v * (1 - share), Hi: v * (1 + share), Level: 0.95, Method: "made up"}
}

// lognormal returns round trips whose logarithms are normal, with a median of 40 ms.
func lognormal(n int) RTTs {
	r := rand.New(rand.NewPCG(1, 0))
	v := make([]float64, n)
	for i := range v {
		v[i] = 40 * math.Exp(r.NormFloat64())
	}
	slices.Sort(v)
	in := RTTs{Samples: n, Worth: float64(n)}
	for i, x := range v {
		if i%max(1, n/500) == 0 || i == n-1 {
			in.Steps = append(in.Steps, Step{x, float64(i+1) / float64(n)})
		}
	}
	for _, q := range []float64{0.5, 0.9, 0.99} {
		x := v[int(q*float64(n))]
		in.Quantiles = append(in.Quantiles, Quantile{q, x, around(x, 1/math.Sqrt(float64(n)))})
	}
	return in
}

// estimates returns what four estimators say of a network of n nodes from 1, 2, 4,
// … lookups, the last of them without an interval.
func estimates(n float64, lookups int) Sizes {
	in := Sizes{Truth: n}
	r := rand.New(rand.NewPCG(1, 0))
	for _, name := range []string{"pooled", "least squares", "median gap", "deepest bucket"} {
		e := Estimator{Name: name}
		for l := 1; l <= lookups; l *= 2 {
			sd := 1 / math.Sqrt(8*float64(l)-2)
			v := n * math.Exp(sd*r.NormFloat64())
			p := Estimate{Lookups: l, Nodes: v, Interval: around(v, min(0.9, 1.96*sd))}
			if name == "deepest bucket" {
				p = Estimate{Lookups: l, Nodes: 1.3 * n}
			}
			e.Points = append(e.Points, p)
		}
		in.Estimators = append(in.Estimators, e)
	}
	return in
}

// clients returns shares of eight clients of n nodes, counted in three ways.
func clients(n int) Shares {
	in := Shares{Of: "clients", Counted: []string{"by ID", "by address", "per run"}, Samples: []int{n, 9 * n / 10, n / 3}}
	names := []string{"UT", "LT", "unknown", "TR", "ml", "a name of many words and 1.2.3", "MP", "other"}
	for i, v := range []float64{0.4, 0.25, 0.13, 0.1, 0.05, 0.03, 0.01, 0.03} {
		e := Entity{Name: names[i]}
		for way, m := range in.Samples {
			v := v * []float64{1, 0.9, 1.05}[way]
			sd := math.Sqrt(v * (1 - v) / float64(m))
			e.Shares = append(e.Shares, Share{v, analysis.Interval{Lo: max(0, v-2*sd), Hi: min(1, v+2*sd), Level: 0.95}})
		}
		in.Entities = append(in.Entities, e)
	}
	return in
}

// uniform returns n places in the ID space, as shares of it.
func uniform(n int) []float64 {
	r := rand.New(rand.NewPCG(1, 0))
	v := make([]float64, n)
	for i := range v {
		v[i] = r.Float64()
	}
	return v
}

// idsAt returns what there is to draw of IDs at these places.
func idsAt(places []float64) IDs {
	slices.Sort(places)
	n := len(places)
	in := IDs{Points: n, Null: "one node per address"}
	for _, depth := range []int{2, 4, 6, 8} {
		s := Strip{Depth: depth, Counts: make([]int, 1<<depth)}
		for _, x := range places {
			s.Counts[int(x*float64(int(1)<<depth))]++
		}
		in.Strips = append(in.Strips, s)
	}
	gaps := make([]float64, n)
	for i, x := range places[1:] {
		gaps[i+1] = (x - places[i]) * float64(n)
	}
	gaps[0] = (places[0] + 1 - places[n-1]) * float64(n)
	slices.Sort(gaps)
	for i := 0; i < n; i += max(1, min(i, n-1-i)/20) { // denser at the ends
		p := (float64(i) + 0.5) / float64(n)
		mean := -math.Log(1 - p)
		sd := math.Sqrt(p/(1-p)/float64(n)) + 0.1*mean/float64(i+1)
		in.Gaps = append(in.Gaps, Gap{mean, gaps[i], max(0, mean-1.96*sd), mean + 1.96*sd})
	}
	return in
}

// kinds are all kinds of figures with data of n nodes.
func kinds(n int) map[string]func(Width) (*Figure, error) {
	return map[string]func(Width) (*Figure, error){
		"ids":   func(w Width) (*Figure, error) { return IDDistribution(idsAt(uniform(n)), w) },
		"size":  func(w Width) (*Figure, error) { return NetworkSize(estimates(float64(n), 256), w) },
		"nodes": func(w Width) (*Figure, error) { return Clients(clients(n), w) },
		"rtt":   func(w Width) (*Figure, error) { return RoundTrips(lognormal(n), w) },
	}
}
