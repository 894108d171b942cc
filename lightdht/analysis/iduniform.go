package analysis

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Uniformity is how evenly points fill the 2^Depth zones of one prefix length.
type Uniformity struct {
	Depth    int // bits of the prefix
	Points   int // N
	Bins     int // m, 2^Depth
	Occupied int // bins with a point in them
	Largest  int // points in the fullest bin

	ChiSquare Test
	G         Test // scaled

	Dispersion         float64  // variance of the counts over their mean: 1 by chance, more in crowds
	DispersionInterval Interval // of the same

	Entropy       float64 // of a point's bin, in bits, as counted: low on average
	MillerMadow   float64 // the same, corrected for that
	NullEntropy   float64 // mean of Entropy for uniform points
	NullEntropySD float64 // and its standard deviation
}

// Uniformity counts the points by their first depth bits and tests whether all
// 2^depth zones are equally likely. With O points in a zone, N in all, m zones and
// E = N/m,
//
//	chi-square = sum of (O-E)²/E              Pearson 1900; df m-1
//	G          = 2 sum of O ln(O/E)           likelihood ratio, Wilks 1938
//	dispersion = chi-square/(m-1)             index of dispersion, Fisher 1925
//	entropy    = - sum of O/N log2(O/N)       Shannon 1948, in bits, at most depth
//	corrected  = entropy + (Occupied-1)/(2 N ln 2)       Miller 1955
//
// Pearson's P is the upper tail of chi-square with df m-1. G is not of that law: at
// 5 points a zone it is 4.7 % above m-1 on average, two standard deviations with 4,096
// zones, of which Williams' correction (1976) leaves 1.3 %. So it is scaled, as
// Satterthwaite does (1946, Biometrics Bulletin 2): with the mean and the variance
// that it has for N points in m zones,
//
//	Statistic = 2 G mean/variance,   DF = 2 mean²/variance
//
// are mean and half the variance of each other as with chi-square, of which P is the
// upper tail. Entropy says the same as G, entropy = depth - G/(2 N ln 2), so it has no
// test of its own but a mean and a standard deviation.
//
// The dispersion's interval is that of a variance, dispersion (m-1)/q with q the
// quantiles of chi-square with df m-1. That holds where all zones are equally likely;
// of a flood it is too short: of 1,200 points, 60 more in one of 128 zones, it holds
// the dispersion that there is on average in 78 % of samples, not 95.
//
// It takes 5 points a zone, the usual rule (Cochran 1952 discusses it): fewer are an error, and so is a depth
// outside 1 to 20.
func (p IDPoints) Uniformity(depth int) (Uniformity, error) {
	if err := p.bearsDepth(depth); err != nil {
		return Uniformity{}, err
	}
	u := Uniformity{Depth: depth, Points: len(p), Bins: 1 << depth}
	n, m := float64(u.Points), float64(u.Bins)
	squares, logs := 0.0, 0.0
	for _, o := range p.Counts(depth) {
		u.Occupied++
		u.Largest = max(u.Largest, o)
		squares += float64(o) * float64(o)
		logs += float64(o) * math.Log(float64(o))
	}
	df := m - 1
	chi := squares*m/n - n
	g := max(2*(logs-n*math.Log(n/m)), 0)
	mean, sd := gMoments(u.Points, u.Bins)

	u.ChiSquare = chiSquareTest("Pearson", chi, df)
	u.G = chiSquareTest("G test, scaled", 2*g*mean/(sd*sd), 2*mean*mean/(sd*sd))
	u.Dispersion = chi / df
	u.DispersionInterval = dispersionInterval(chi, df)

	nats := 2 * n * math.Ln2
	u.Entropy = float64(depth) - g/nats
	u.MillerMadow = u.Entropy + float64(u.Occupied-1)/nats
	u.NullEntropy = float64(depth) - mean/nats
	u.NullEntropySD = sd / nats
	return u, nil
}

// bearsDepth says what the points lack to be tested at a depth.
func (p IDPoints) bearsDepth(depth int) error {
	if depth < 1 || depth > deepestBins {
		return fmt.Errorf("IDs are tested by their first 1 to %d bits, not %d", deepestBins, depth)
	}
	if want := leastPerBin << depth; len(p) < want {
		return fmt.Errorf("%d independent IDs are too few to test by %d bits: want at least %d, %d in each of %d zones",
			len(p), depth, want, leastPerBin, 1<<depth)
	}
	return p.enough()
}

// dispersionInterval is that of a variance of which chi is the sum of squares.
func dispersionInterval(chi, df float64) Interval {
	law := distuv.ChiSquared{K: df}
	return Interval{Lo: chi / law.Quantile(0.975), Hi: chi / law.Quantile(0.025), Level: 0.95, Method: "chi-square"}
}

// chiSquareTest returns a test whose P is the upper tail of chi-square.
func chiSquareTest(name string, statistic, df float64) Test {
	return Test{name, statistic, df, distuv.ChiSquared{K: df}.Survival(statistic)}
}

// gMoments returns mean and standard deviation of G for n uniform points in m
// bins. G is the sum over bins of f(O) = 2 (O ln(O/E) - O + E), O being binomial,
// so its mean is m E[f(O)] exactly. Its variance is, but for terms of 1/n,
// m²/(m-1) (Var f(O) - Cov(f(O), O)²/Var O): what is left once all counts have to
// add up to n (Morris 1975, Annals of Statistics 3).
func gMoments(n, m int) (mean, sd float64) {
	e := float64(n) / float64(m)
	var w, f1, f2, o1, o2, fo float64 // sums of weights, and of f and of O-E under them
	add := func(o int, weight float64) {
		d := float64(o) - e
		f := 2 * e
		if o > 0 {
			f = 2 * (float64(o)*math.Log1p(d/e) - d)
		}
		w += weight
		f1, f2 = f1+weight*f, f2+weight*f*f
		o1, o2, fo = o1+weight*d, o2+weight*d*d, fo+weight*f*d
	}
	eachBinomial(n, 1/float64(m), add)
	f1, f2, o1, o2, fo = f1/w, f2/w, o1/w, o2/w, fo/w
	covariance := fo - f1*o1
	variance := f2 - f1*f1 - covariance*covariance/(o2-o1*o1)
	return float64(m) * f1, float64(m) * math.Sqrt(variance/float64(m-1))
}

// eachBinomial calls add with each outcome of Binomial(n, p) that matters and
// its probability over that of the likeliest, outwards from there.
func eachBinomial(n int, p float64, add func(o int, weight float64)) {
	mode := int(float64(n+1) * p)
	odds := p / (1 - p)
	for o, weight := mode, 1.0; o <= n && weight > 1e-20; o++ {
		add(o, weight)
		weight *= float64(n-o) / float64(o+1) * odds
	}
	for o, weight := mode, 1.0; o > 0 && weight > 1e-20; o-- {
		weight *= float64(o) / float64(n-o+1) / odds
		add(o-1, weight)
	}
}
