package figure

import (
	"io"
	"math"
	"strings"
	"testing"

	"github.com/lightdht/lightdht/lightdht/analysis"
)

// refused holds a drawing to an error that says so.
func refused(t *testing.T, what string, f *Figure, err error, says string) {
	t.Helper()
	if f != nil || err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("%s: %v, %v; want an error that says %q", what, f, err, says)
	}
}

var bad = []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e300, 5e-324}

func TestRefusedRTTs(t *testing.T) {
	for says, change := range map[string]func(*RTTs){
		"none of the contacts has one":   func(in *RTTs) { *in = RTTs{} },
		"are worth 201 independent ones": func(in *RTTs) { in.Worth = 201 },
		"are worth -1 independent ones":  func(in *RTTs) { in.Worth = -1 },
		"are worth NaN independent":      func(in *RTTs) { in.Worth = math.NaN() },
		"no round trips":                 func(in *RTTs) { in.Samples = 0 },
		"does not rise at 1 ms":          func(in *RTTs) { in.Steps = []Step{{2, 0.5}, {1, 1}} },
		"does not rise at 0 ms":          func(in *RTTs) { in.Steps = []Step{{0, 1}} },
		"does not rise at -2 ms":         func(in *RTTs) { in.Steps = []Step{{-2, 1}} },
		"does not rise at 3 ms":          func(in *RTTs) { in.Steps = []Step{{2, 0.5}, {3, 1.1}} },
		"the quantile of a share of 2":   func(in *RTTs) { in.Quantiles[0].Share = 2 },
		"interval of the quantile of":    func(in *RTTs) { in.Quantiles[0].Interval.Lo = math.NaN() },
		"a share of 0.5 is -3 ms":        func(in *RTTs) { in.Quantiles[0].Millis = -3 },
		"does not rise at 2 ms: want t":  func(in *RTTs) { in.Steps = []Step{{1, 0.6}, {2, 0.5}} },
	} {
		in := lognormal(200)
		change(&in)
		f, err := RoundTrips(in, Column)
		refused(t, "round trips", f, err, says)
	}
	for _, v := range bad {
		for i := range 4 {
			in := lognormal(200)
			*[]*float64{&in.Steps[3].Millis, &in.Steps[3].Share, &in.Quantiles[1].Millis, &in.Quantiles[1].Share}[i] = v
			f, err := RoundTrips(in, Column)
			refused(t, "round trips", f, err, "has no place in a figure")
		}
	}
}

func TestRefusedSizes(t *testing.T) {
	for says, change := range map[string]func(*Sizes){
		"no estimates":                 func(in *Sizes) { in.Estimators = nil },
		"pooled: no estimates":         func(in *Sizes) { in.Estimators[0].Points = nil },
		"5 estimators are too many":    func(in *Sizes) { in.Estimators = append(in.Estimators, in.Estimators[0]) },
		"a truth of -1 nodes":          func(in *Sizes) { in.Truth = -1 },
		"0 nodes from 1 lookups":       func(in *Sizes) { in.Estimators[0].Points[0].Nodes = 0 },
		"by rising numbers of lookups": func(in *Sizes) { in.Estimators[0].Points[3].Lookups = 2 },
	} {
		in := estimates(200, 256)
		change(&in)
		f, err := NetworkSize(in, Column)
		refused(t, "sizes", f, err, says)
	}
	for _, v := range bad {
		for i := range 4 {
			in := estimates(200, 256)
			p := &in.Estimators[1].Points[2]
			*[]*float64{&in.Truth, &p.Nodes, &p.Interval.Lo, &p.Interval.Hi}[i] = v
			f, err := NetworkSize(in, Column)
			refused(t, "sizes", f, err, "has no place in a figure")
		}
	}
}

func TestRefusedShares(t *testing.T) {
	for says, change := range map[string]func(*Shares){
		"nothing was counted":                  func(in *Shares) { in.Entities = nil },
		"no shares to draw":                    func(in *Shares) { in.Counted = nil },
		"41 bars have no room":                 func(in *Shares) { in.Entities = make([]Entity, 41) },
		"4 ways of counting":                   func(in *Shares) { in.Counted = append(in.Counted, "else") },
		"UT has 2 shares":                      func(in *Shares) { in.Entities[0].Shares = in.Entities[0].Shares[:2] },
		"the share of UT is 1.5: want 0 to 1":  func(in *Shares) { in.Entities[0].Shares[0].Share = 1.5 },
		"the share of UT is -0.5: want 0 to 1": func(in *Shares) { in.Entities[0].Shares[0].Share = -0.5 },
		"the share of UT is +Inf, which has":   func(in *Shares) { in.Entities[0].Shares[0].Share = math.Inf(1) },
		"the share of UT is NaN, which has":    func(in *Shares) { in.Entities[0].Shares[0].Interval.Hi = math.NaN() },
	} {
		in := clients(200)
		change(&in)
		f, err := Clients(in, Column)
		refused(t, "shares", f, err, says)
	}
}

func TestRefusedIDs(t *testing.T) {
	for says, change := range map[string]func(*IDs){
		"too few IDs":                    func(in *IDs) { *in = IDs{} },
		"want at least 2":                func(in *IDs) { in.Points = 1 },
		"prefixes of 0 bits":             func(in *IDs) { in.Strips[0].Depth = 0 },
		"prefixes of 11 bits":            func(in *IDs) { in.Strips[0].Depth = 11 },
		"4 counts for prefixes of 3":     func(in *IDs) { in.Strips[0].Depth = 3 },
		"a count of -1":                  func(in *IDs) { in.Strips[0].Counts[0] = -1 },
		"count 201 points: want all 200": func(in *IDs) { in.Strips[0].Counts[0]++ },
		"the gaps do not rise":           func(in *IDs) { in.Gaps[0], in.Gaps[1] = in.Gaps[1], in.Gaps[0] },
		"all gaps are 0":                 func(in *IDs) { in.Gaps = []Gap{{Expected: 1}} },
	} {
		in := idsAt(uniform(200))
		change(&in)
		f, err := IDDistribution(in, Column)
		refused(t, "IDs", f, err, says)
	}
	for _, v := range bad {
		for i := range 4 {
			in := idsAt(uniform(200))
			g := &in.Gaps[5]
			*[]*float64{&g.Expected, &g.Observed, &g.Lo, &g.Hi}[i] = v
			f, err := IDDistribution(in, Column)
			refused(t, "IDs", f, err, "has no place in a figure")
		}
	}
}

// What is odd and has a picture gets one.
func TestOdd(t *testing.T) {
	one := analysis.Interval{Lo: 0.98, Hi: 1, Level: 0.95}
	for name, draw := range map[string]func() (*Figure, error){
		"one round trip": func() (*Figure, error) { return RoundTrips(RTTs{Samples: 1, Steps: []Step{{0.03, 1}}}, Column) },
		"extreme times": func() (*Figure, error) {
			return RoundTrips(RTTs{Samples: 2, Steps: []Step{{1e-59, 0.5}, {1e59, 1}}}, Column)
		},
		"a quantile without an end": func() (*Figure, error) {
			in := lognormal(20)
			in.Quantiles[0].Interval.Lo, in.Quantiles[1].Interval.Lo, in.Quantiles[2].Interval.Hi = 0, math.Inf(-1), math.Inf(1)
			return RoundTrips(in, Column)
		},
		"one lookup": func() (*Figure, error) {
			return NetworkSize(Sizes{Estimators: []Estimator{{"pooled", []Estimate{{7, 190, around(190, 0.3)}}}}}, Column)
		},
		"an estimate without interval": func() (*Figure, error) {
			return NetworkSize(Sizes{Estimators: []Estimator{{"", []Estimate{{Lookups: 1, Nodes: 1}}}}}, Column)
		},
		"an interval from 0": func() (*Figure, error) {
			return NetworkSize(Sizes{Estimators: []Estimator{{"x", []Estimate{{1, 1, analysis.Interval{Hi: 1e9, Level: 0.9}}}}}}, Column)
		},
		"one client, with a name that is no text": func() (*Figure, error) {
			return Clients(Shares{Counted: []string{"by ID"}, Entities: []Entity{{"<&\x00\xff\u200e>", []Share{{1, one}}}}}, Column)
		},
		"a share of nothing": func() (*Figure, error) {
			return Clients(Shares{Of: "ports", Counted: []string{"by ID"}, Entities: []Entity{{"", []Share{{}}}}}, Column)
		},
		"a client not counted": func() (*Figure, error) {
			return Clients(Shares{Of: "ports", Counted: []string{"by ID"}, Entities: []Entity{{"1", []Share{{Share: math.NaN()}}}}}, Column)
		},
		"two IDs": func() (*Figure, error) { return IDDistribution(idsAt([]float64{0.1, 0.7}), Column) },
		"all gaps equal": func() (*Figure, error) {
			return IDDistribution(idsAt([]float64{0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875}), Page)
		},
		"one gap": func() (*Figure, error) {
			in := idsAt(uniform(200))
			in.Gaps = []Gap{{Expected: 1, Observed: 1, Lo: 1, Hi: 1}}
			return IDDistribution(in, Page)
		},
	} {
		f, err := draw()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		texts(t, written(t, f, nil, SVG))
		if err := f.Write(io.Discard, PDF); err != nil {
			t.Errorf("%s as PDF: %v", name, err)
		}
		if at, found := edged(coarse(f)); found {
			t.Errorf("%s: a dot at %v", name, at)
		}
	}
}
