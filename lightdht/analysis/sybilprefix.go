package analysis

import (
	"cmp"
	"math"
	"slices"

	"github.com/lightdht/lightdht/lightdht/kad"
	"gonum.org/v1/gonum/mathext"
)

// prefixNull is the distribution of the divergence among honest nodes.
//
// With q_x the share of the k closest whose common prefix with the target has x
// bits, and p_x what is expected of that in a network of N nodes, the divergence is
//
//	D = sum over x of q_x ln(q_x/p_x)
//
// (Cholez et al., Detection and mitigation of localized attacks in a widely deployed
// P2P network, 2013, who take p_x to halve from bit to bit; Sridhar et al., Content
// censorship in the InterPlanetary File System, 2023, who take p_x as here.) Their
// threshold of 0.94 is for k = 20: for k = 8 it gives 9.4 % of false alarms.
//
// The distribution comes from all ways in which k nodes fall into prefix lengths.
// Let x0 be the least of them: m < k nodes are deeper, and the zone of those with x0
// holds k-m or more. Both halves of a zone hold a Poisson number of nodes, so that
//
//	P(x0, m) = P(Poisson = m) P(Poisson >= k-m), of the mean N/2^(x0+1) both,
//
// and the m deeper ones part binomially, half and half at each bit.
type prefixNull struct {
	k        int
	expected [kad.Bits + 1]float64 // p_x
	atoms    []atom                // ascending
	above    []float64             // above[i] is the chance of atoms[i:] and of what was left out
}

// atom is a value that the divergence may have.
type atom struct{ value, chance float64 }

// fine is how close two atoms are when they are taken for one, in nats, and rare the
// chance of those that are left out, which together count as the largest atom.
const (
	fine = 1e-4
	rare = 1e-12
)

func newPrefixNull(k int, n float64, rates []rate) *prefixNull {
	null := &prefixNull{k: k}
	for x := range kad.Bits {
		null.expected[x] = expectedShare(k, math.Ldexp(n, -x))
	}
	null.expected[kad.Bits] = poissonAtLeast(1, math.Ldexp(n, -kad.Bits)) / float64(k) // one node may have the very ID
	total := 0.0
	var deeper [][]atom // by how many nodes they are, of those with more than x bits
	for x := kad.Bits - 1; x >= 0; x-- {
		if mean := math.Ldexp(n, -x-1); mean > float64(8*k) && poisson(k, mean/2) < rare {
			break // the k closest are all deeper
		}
		for m := range k {
			weight := 0.0
			for _, r := range rates {
				mean := math.Ldexp(r.n, -x-1)
				weight += r.weight * poisson(m, mean) * poissonAtLeast(k-m, mean)
			}
			if total += weight; weight > rare && deeper != nil {
				null.atoms = appendShifted(null.atoms, deeper[m], null.term(x, k-m), weight)
			}
		}
		deeper = null.zone(x, deeper, math.Ldexp(n, -x))
	}
	null.atoms = merge(null.atoms)
	null.sum(total)
	return null
}

// zone is the law of what the nodes with x bits or more add to the divergence, by
// their number from 0 to k-1, given that of those with more than x bits. It is nil
// where such nodes are too rare to matter; mean is how many are expected.
func (null *prefixNull) zone(x int, deeper [][]atom, mean float64) [][]atom {
	if mean < rare {
		return nil
	}
	zone := make([][]atom, null.k)
	zone[0] = []atom{{0, 1}}
	for r := 1; r < null.k; r++ {
		reached := poissonAtLeast(r, mean)
		chance := math.Ldexp(1, -r)
		for here := 0; here <= r; here++ {
			if rest := r - here; deeper != nil {
				zone[r] = appendShifted(zone[r], deeper[rest], null.term(x, here), chance)
			} else if rest == 0 {
				zone[r] = append(zone[r], atom{null.term(x, here), chance})
			}
			chance *= float64(r-here) / float64(here+1)
		}
		zone[r] = slices.DeleteFunc(merge(zone[r]), func(a atom) bool { return a.chance*reached < rare })
	}
	return zone
}

// term is what count nodes with x bits add to the divergence.
func (null *prefixNull) term(x, count int) float64 {
	if count == 0 {
		return 0
	}
	q := float64(count) / float64(null.k)
	return q * math.Log(q/null.expected[x])
}

// divergence is that of the k nodes at d.
func (null *prefixNull) divergence(d Distances) (sum float64) {
	var counts [kad.Bits + 1]int
	for _, at := range d {
		counts[commonBits(at)]++
	}
	for x, count := range counts {
		sum += null.term(x, count)
	}
	return sum
}

// commonBits is how many bits a node at a distance shares with the target: all when
// that is 0.
func commonBits(at float64) int {
	if at == 0 {
		return kad.Bits
	}
	_, exp := math.Frexp(at) // at lies in [2^(exp-1), 2^exp)
	return min(max(-exp, 0), kad.Bits-1)
}

// atLeast is the chance of a divergence of value or more. An atom may stand aside
// of the values that it is made of: what is nearly as much counts, too.
func (null *prefixNull) atLeast(value float64) float64 {
	i, _ := slices.BinarySearchFunc(null.atoms, value-2*fine, func(a atom, v float64) int { return cmp.Compare(a.value, v) })
	return null.above[i]
}

// critical is the least divergence that alarms at a level, to within 3 fine.
func (null *prefixNull) critical(level float64) float64 {
	for i, a := range null.atoms {
		if null.above[i+1] <= level {
			return a.value + 3*fine // the atoms from the next on
		}
	}
	return math.Inf(1)
}

// sum fills above, with total the chance of everything.
func (null *prefixNull) sum(total float64) {
	for i := range null.atoms {
		null.atoms[i].chance /= total
	}
	null.above = make([]float64, len(null.atoms)+1)
	kept := 0.0
	for i := len(null.atoms) - 1; i >= 0; i-- {
		kept += null.atoms[i].chance
		null.above[i] = kept
	}
	lost := max(0, 1-kept)
	for i := range null.above {
		null.above[i] = min(1, null.above[i]+lost)
	}
}

// expectedShare is the share of the k closest nodes that have x bits in common with
// the target, of a network of which mean nodes are expected to have x or more: the
// i-th closest has them when there are i or more.
func expectedShare(k int, mean float64) (sum float64) {
	for i := 1; i <= k; i++ {
		if shape := float64(i); mean > float64(4*k) { // the difference of two small numbers
			sum += mathext.GammaIncRegComp(shape, mean/2) - mathext.GammaIncRegComp(shape, mean)
		} else {
			sum += mathext.GammaIncReg(shape, mean) - mathext.GammaIncReg(shape, mean/2)
		}
	}
	return sum / float64(k)
}

// poisson is the probability of r points where mean are expected.
func poisson(r int, mean float64) float64 {
	if mean == 0 {
		return 0
	}
	lgamma, _ := math.Lgamma(float64(r + 1))
	return math.Exp(float64(r)*math.Log(mean) - mean - lgamma)
}

// appendShifted appends atoms, each shifted and with its chance times weight.
func appendShifted(to, atoms []atom, shift, weight float64) []atom {
	for _, a := range atoms {
		to = append(to, atom{a.value + shift, a.chance * weight})
	}
	return to
}

// merge sorts atoms and joins those that lie together, at their mean.
func merge(atoms []atom) []atom {
	slices.SortFunc(atoms, func(a, b atom) int { return cmp.Compare(a.value, b.value) })
	joined, first := atoms[:0], math.Inf(-1)
	for _, a := range atoms {
		if a.value-first > fine {
			joined, first = append(joined, a), a.value
			continue
		}
		last := &joined[len(joined)-1]
		both := last.chance + a.chance
		last.value += (a.value - last.value) * a.chance / both
		last.chance = both
	}
	return joined
}
