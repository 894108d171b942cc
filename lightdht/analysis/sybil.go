package analysis

import (
	"fmt"
	"math"
	"sync"

	"gonum.org/v1/gonum/mathext"
)

// Sybils tests whether the k nodes closest to a target stand closer than chance
// puts them, as nodes do that were placed there to own it. [NewSybils] makes one,
// which serves any number of targets in a network, also concurrently.
//
// Seen from a target that honest nodes do not care about, N honest nodes are N
// uniform points, and N times the distances d_1 < d_2 < … of the closest are the
// points of a Poisson process of rate 1. Three tests look for a departure:
//
//   - Gamma: N d_k follows a Gamma distribution of shape k, so that p = P(k, N d_k)
//     with the regularized lower incomplete gamma function P. The sharpest against as
//     many sybils as there are places.
//   - Scan: the least of P(j, N d_j) over j = 1…k, with the exact p-value of such a
//     least. The sharpest against a few sybils among honest nodes; it says how many
//     closest ones stand out.
//   - KL: the divergence of the common prefix lengths of the k closest from what is
//     expected of N nodes, as used on KAD and IPFS, with the exact p-value for this k
//     and N. Weaker here, and it alarms on nodes that are too far, too.
//
// Each p-value is exact under the null, not an approximation for large k. Those of
// Gamma and Scan keep their digits down to 1e-290, where Scan's ends; that of KL ends
// at 1e-9. A node at distance 0 has the very ID of the target, which honest nodes have
// once in 2^160/N targets: its Gamma probability is 0, and the p of Scan and of KL the
// least there is.
//
// The size counts as measured: with a pooled estimate of K nodes whose distances sum
// to D, d_j/(d_j+D) follows a Beta distribution of parameters j and K whatever N is,
// and takes the place of P(j, N d_j); the p-value of Scan is then the mean over what
// N D may be, a Gamma distribution of shape K, and exact again. KL, whose law has no
// such form, takes the mean over the N that this makes likely. Any other size counts
// as known: of one by another method try both ends of its interval. Taken for known,
// a size that is 30 % low makes false alarms 0.84 % of the time at a level of 0.1 %, one
// that is 30 % high 0.018 % (Gamma, k = 8).
//
// It takes for granted that
//   - the lookup found the true k closest. One that misses some makes p larger: it
//     hides sybils and invents none;
//   - the target was not among those that gave the size;
//   - the target is not an own ID or any other that nodes have cause to stand near.
//     What BEP 42 binds to one address does not stand near a target.
//
// Of many targets some have a small p by chance: adjust for their number (Benjamini
// and Hochberg).
type Sybils struct {
	k     int
	n     float64 // estimated nodes
	nodes float64 // K of a pooled estimate; 0: n is known
	sum   float64 // D of a pooled estimate
	rates []rate  // what N may be

	null func() *prefixNull // made once, when first asked for
}

// maxSybilRank bounds the work: beyond, the law of the divergence takes long.
const maxSybilRank = 20

// rate is a number of nodes with the probability that it is the true one.
type rate struct{ n, weight float64 }

// SybilTest is one test of one target.
type SybilTest struct {
	Statistic float64 // Gamma and Scan: a probability, small for sybils; KL: nats, large
	P         float64 // how often chance alone makes one as extreme
	Rank      int     // Scan: the j that stands out most; otherwise k
}

// SybilResult is what the tests say of one target.
type SybilResult struct {
	Gamma, Scan, KL SybilTest
	Expected        float64 // how many honest nodes are expected as near as the k-th: N d_k
}

// SybilCritical are the values that alarm at a level: Gamma and Scan at or below,
// KL at or above.
type SybilCritical struct {
	Level    float64
	Distance float64 // d_k as a share of the ID space, at which Gamma's p is Level
	Gamma    float64 // Level itself
	Scan     float64
	KL       float64 // nats
}

// NewSybils prepares the tests of the k closest nodes, 2 to 20 of them, in a
// network of the size given: a pooled estimate, or SizeEstimate{N: n} for a size that
// is known.
func NewSybils(k int, size SizeEstimate) (*Sybils, error) {
	if k < 2 || k > maxSybilRank {
		return nil, fmt.Errorf("%d closest nodes do not bear a test for sybils: want 2 to %d", k, maxSybilRank)
	}
	if !(size.N >= float64(4*k)) || size.N > 1e18 {
		return nil, fmt.Errorf("in a network of %.4g nodes the closest %d are no neighbourhood: want at least %d nodes", size.N, k, 4*k)
	}
	s := &Sybils{k: k, n: size.N, rates: []rate{{size.N, 1}}}
	if size.Method == "pooled" {
		if size.Nodes < 8 {
			return nil, fmt.Errorf("a size from %d nodes is too vague to test against: want at least 8", size.Nodes)
		}
		s.nodes, s.sum = float64(size.Nodes), float64(size.Nodes-1)/size.N
		s.rates = ratesOf(s.nodes, s.sum, k)
	}
	s.null = sync.OnceValue(func() *prefixNull { return newPrefixNull(k, s.n, s.rates) })
	return s, nil
}

// Test tests the closest nodes of one target, whose first k distances it takes, by
// Gamma, Scan and KL. The first KL takes some 50 ms for k = 8, and a second for 20.
func (s *Sybils) Test(d Distances) (r SybilResult, err error) {
	if r.Gamma, err = s.Gamma(d); err != nil {
		return SybilResult{}, err
	}
	r.Expected = s.n * d[s.k-1]
	if r.Scan, err = s.Scan(d); err != nil {
		return SybilResult{}, err
	}
	if r.KL, err = s.KL(d); err != nil {
		return SybilResult{}, err
	}
	return r, nil
}

// Gamma tests the k-th distance.
func (s *Sybils) Gamma(d Distances) (SybilTest, error) {
	d, err := s.closest(d)
	if err != nil {
		return SybilTest{}, err
	}
	p := s.below(s.k, d[s.k-1])
	return SybilTest{p, p, s.k}, nil
}

// Scan tests the distance that stands out most.
func (s *Sybils) Scan(d Distances) (SybilTest, error) {
	d, err := s.closest(d)
	if err != nil {
		return SybilTest{}, err
	}
	least := SybilTest{Statistic: math.Inf(1)}
	for i, at := range d {
		if p := s.below(i+1, at); p < least.Statistic {
			least.Statistic, least.Rank = p, i+1
		}
	}
	least.P = s.scanBelow(least.Statistic)
	return least, nil
}

// KL tests the common prefix lengths.
func (s *Sybils) KL(d Distances) (SybilTest, error) {
	d, err := s.closest(d)
	if err != nil {
		return SybilTest{}, err
	}
	divergence := s.null().divergence(d)
	return SybilTest{divergence, s.null().atLeast(divergence), s.k}, nil
}

// closest returns the first k distances, if they are such.
func (s *Sybils) closest(d Distances) (Distances, error) {
	if len(d) < s.k {
		return nil, fmt.Errorf("%d nodes are too few for a test of the %d closest to a target", len(d), s.k)
	}
	if !d.good() {
		return nil, fmt.Errorf("distances of the closest nodes are not shares of the space, the nearest first: %v", d)
	}
	return d[:s.k], nil
}

// Critical returns the values at which the tests alarm at a level between 0 and 1; of
// any other there are none, and all are NaN.
func (s *Sybils) Critical(level float64) SybilCritical {
	if !(level > 0 && level < 1) {
		none := math.NaN()
		return SybilCritical{Level: level, Distance: none, Gamma: none, Scan: none, KL: none}
	}
	lo, hi := math.Log(level/float64(s.k))-1, math.Log(level) // by the union of k events
	for range 60 {
		if mid := (lo + hi) / 2; s.scanBelow(math.Exp(mid)) <= level {
			lo = mid
		} else {
			hi = mid
		}
	}
	return SybilCritical{
		Level:    level,
		Distance: s.distance(s.k, level),
		Gamma:    level,
		Scan:     math.Exp(lo),
		KL:       s.null().critical(level),
	}
}

// below is the probability that the j-th closest of honest nodes stands at d or
// nearer.
func (s *Sybils) below(j int, d float64) float64 {
	if s.nodes == 0 {
		return mathext.GammaIncReg(float64(j), s.n*d)
	}
	return mathext.RegIncBeta(float64(j), s.nodes, d/(d+s.sum))
}

// distance is the inverse: the d at which below is p.
func (s *Sybils) distance(j int, p float64) float64 {
	if s.nodes == 0 {
		return gammaQuantile(j, p) / s.n
	}
	x := mathext.InvRegIncBeta(float64(j), s.nodes, p)
	return x / (1 - x) * s.sum
}

// scanBelow is the probability that the least of P(j, N d_j) is c or less: that for
// some j at least j nodes stand at the distance where that is c, or nearer.
func (s *Sybils) scanBelow(c float64) (p float64) {
	if c >= 1 {
		return 1
	}
	c = max(c, 1e-290) // where the quantiles below still have digits
	reach := make([]float64, s.k)
	for j := range reach {
		reach[j] = s.distance(j+1, c)
	}
	for _, r := range s.rates {
		p += r.weight * crossing(reach, r.n)
	}
	return min(p, 1)
}
