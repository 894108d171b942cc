package analysis

import (
	"math"
	"slices"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
	"gonum.org/v1/gonum/stat"
)

// checkUniform holds p-values of a true null hypothesis to the uniform law: all
// over, by Kolmogorov's test at 1 in 2,000, and below 1 % and 5 % to within 3.5
// standard errors.
func checkUniform(t *testing.T, name string, ps []float64) {
	t.Helper()
	n := float64(len(ps))
	sorted := slices.Sorted(slices.Values(ps))
	d := 0.0
	for i, p := range sorted {
		d = max(d, p-float64(i)/n, float64(i+1)/n-p)
	}
	if p := kolmogorovTail(n, d); p < 0.0005 {
		t.Errorf("%s: p-values over %d seeds are not uniform: D = %.4f, p = %.2g", name, len(ps), d, p)
	}
	for _, level := range []float64{0.01, 0.05} {
		below, _ := slices.BinarySearch(sorted, level)
		if se := math.Sqrt(level * (1 - level) / n); math.Abs(float64(below)/n-level) > 3.5*se {
			t.Errorf("%s: %.2f %% of p-values are below %g %%", name, 100*float64(below)/n, 100*level)
		}
	}
}

// Counts 30, 20, 18 and 12 of four zones, reckoned by hand: chi-square is
// (10² + 0 + 2² + 8²)/20 = 8.4, and its P for 3 degrees of freedom is
// erfc(sqrt(4.2)) + sqrt(16.8/pi) e^-4.2.
func TestUniformityByHand(t *testing.T) {
	var points IDPoints
	for zone, n := range []int{30, 20, 18, 12} {
		for i := range n {
			points = append(points, kad.ID{byte(zone << 6), byte(i)})
		}
	}
	u, err := points.Uniformity(2)
	if err != nil {
		t.Fatal(err)
	}
	o := []float64{30, 20, 18, 12}
	g, entropy := 0.0, 0.0
	for _, n := range o {
		g += 2 * n * math.Log(n/20)
		entropy -= n / 80 * math.Log2(n/80)
	}
	gMean, gSD := gMoments(80, 4)
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"chi-square", u.ChiSquare.Statistic, 8.4},
		{"its P", u.ChiSquare.P, math.Erfc(math.Sqrt(4.2)) + math.Sqrt(16.8/math.Pi)*math.Exp(-4.2)},
		{"its df", u.ChiSquare.DF, 3},
		{"G", u.G.Statistic, 2 * g * gMean / (gSD * gSD)},
		{"its df", u.G.DF, 2 * gMean * gMean / (gSD * gSD)},
		{"dispersion", u.Dispersion, 2.8},
		{"its low end", u.DispersionInterval.Lo, 8.4 / 9.34840},
		{"its high end", u.DispersionInterval.Hi, 8.4 / 0.215795},
		{"entropy", u.Entropy, entropy},
		{"corrected entropy", u.MillerMadow, entropy + 3/(160*math.Ln2)},
	} {
		if !close(c.got, c.want, 2e-5) {
			t.Errorf("%s = %v, want %v", c.name, c.got, c.want)
		}
	}
	if u.Points != 80 || u.Bins != 4 || u.Occupied != 4 || u.Largest != 30 || u.Depth != 2 {
		t.Errorf("%+v", u)
	}
}

// gTwin returns mean and standard deviation of G over all ways to put n points
// into the bins that are left, each with its probability.
func gTwin(n, m int) (mean, sd float64) {
	e := float64(n) / float64(m)
	var s0, s1, s2 float64
	var fill func(left, bins int, g, logP float64)
	fill = func(left, bins int, g, logP float64) {
		lowest := 0
		if bins == 1 {
			lowest = left
		}
		for o := lowest; o <= left; o++ {
			g, logP := g, logP-logFactorial(o)
			if o > 0 {
				g += 2 * float64(o) * math.Log(float64(o)/e)
			}
			if bins > 1 {
				fill(left-o, bins-1, g, logP)
				continue
			}
			p := math.Exp(logP)
			s0, s1, s2 = s0+p, s1+p*g, s2+p*g*g
		}
	}
	fill(n, m, 0, logFactorial(n)-float64(n)*math.Log(float64(m)))
	return s1 / s0, math.Sqrt(s2/s0 - s1*s1/(s0*s0))
}

func TestGMomentsAgainstTwin(t *testing.T) {
	for _, c := range []struct{ n, m int }{{20, 2}, {20, 4}, {40, 4}, {40, 5}, {100, 4}} {
		mean, sd := gMoments(c.n, c.m)
		wantMean, wantSD := gTwin(c.n, c.m)
		if !close(mean, wantMean, 1e-9) || !close(sd, wantSD, 0.015) {
			t.Errorf("%d points in %d bins: G %.6f ± %.6f, the twin says %.6f ± %.6f", c.n, c.m, mean, sd, wantMean, wantSD)
		}
	}
	// With many a bin they are those of chi-square.
	if mean, sd := gMoments(10_000_000, 16); !close(mean, 15, 1e-5) || !close(sd, math.Sqrt(30), 1e-4) {
		t.Errorf("10 M points in 16 bins: G %v ± %v", mean, sd)
	}
}

func TestUniformityOfUniformPoints(t *testing.T) {
	for _, c := range []struct{ n, depth, seeds int }{{20, 2, 1000}, {160, 5, 800}, {5 << 9, 9, 200}, {5 << 11, 11, 50}} {
		r := source(t, uint64(c.n))
		var chis, gs, entropies []float64
		covered := 0
		var mean, sd float64
		for range c.seeds {
			u, err := drawPoints(r, c.n).Uniformity(c.depth)
			if err != nil {
				t.Fatal(err)
			}
			chis, gs, entropies = append(chis, u.ChiSquare.P), append(gs, u.G.P), append(entropies, u.Entropy)
			if u.DispersionInterval.Lo <= 1 && u.DispersionInterval.Hi >= 1 {
				covered++
			}
			mean, sd = u.NullEntropy, u.NullEntropySD
		}
		if c.depth > 2 { // G and chi-square take few values there
			checkUniform(t, "chi-square", chis)
			checkUniform(t, "G", gs)
		}
		got, gotSD := stat.MeanStdDev(entropies, nil)
		if math.Abs(gotSD/sd-1) > 0.02+3.5/math.Sqrt(2*float64(c.seeds)) {
			t.Errorf("%d points at depth %d: entropy has standard deviation %.3g, said to be %.3g", c.n, c.depth, gotSD, sd)
		}
		if math.Abs(got-mean) > 3.5*sd/math.Sqrt(float64(c.seeds)) {
			t.Errorf("%d points at depth %d: entropy %.6f on average, said to be %.6f ± %.6f", c.n, c.depth, got, mean, sd)
		}
		if share, se := float64(covered)/float64(c.seeds), math.Sqrt(0.05*0.95/float64(c.seeds)); share < 0.95-3.5*se || c.depth > 2 && share > 0.95+3.5*se {
			t.Errorf("%d points at depth %d: %.1f %% of the dispersion's intervals hold 1", c.n, c.depth, 100*share)
		}
	}
}

// Whoever has a statistic and its degrees of freedom has P: by the cube root of
// Wilson and Hilferty (1931), which is exact to a few in 10,000 here.
func TestPFollows(t *testing.T) {
	r := source(t, 31)
	for range 20 {
		points := drawPoints(r, 5<<9)
		u, err := points.Uniformity(9)
		if err != nil {
			t.Fatal(err)
		}
		gaps, err := points.Gaps()
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range []Test{u.ChiSquare, u.G, gaps.Moran} {
			v := 2 / (9 * test.DF)
			z := (math.Cbrt(test.Statistic/test.DF) - 1 + v) / math.Sqrt(v)
			if want := math.Erfc(z/math.Sqrt2) / 2; math.Abs(test.P-want) > 0.0005 {
				t.Errorf("%+v: p of that chi-square is %.4f", test, want)
			}
		}
	}
}
