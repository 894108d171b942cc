package analysis

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math/bits"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// IDPoints are IDs as points of the space, sorted and distinct, that are
// independent and uniform as [IDSample.Points] says. They are read only.
type IDPoints []kad.ID

const (
	// leastPerBin is how many points chance must put in a zone on average for
	// the tests over zones: the usual rule for Pearson's chi-square, which Cochran (1952) discusses.
	leastPerBin = 5

	// leastPoints is the fewest points that are tested: leastPerBin in each of the
	// four zones of depth 2.
	leastPoints = 4 * leastPerBin

	// deepestBins is the deepest prefix for tests over zones: a million zones.
	// Beyond, crowded zones are a matter for Zones.
	deepestBins = 20
)

// Depths returns the prefix lengths at which the points are tested unless
// somebody asks for others: the deepest one at which chance puts 5 or more into each
// of the 2^depth zones, 20 at most, and the multiples of 4 above it. The deep ones see
// local crowds, the shallow ones broad slopes.
func (p IDPoints) Depths() []int {
	deepest := min(bits.Len(uint(len(p)/leastPerBin))-1, deepestBins)
	var depths []int
	for depth := 4; depth < deepest; depth += 4 {
		depths = append(depths, depth)
	}
	if deepest >= 2 {
		depths = append(depths, deepest)
	}
	return depths
}

// Counts yields each prefix of depth bits (1 to 64) that a point has, ascending, and
// how many have it. Empty zones cost nothing.
func (p IDPoints) Counts(depth int) iter.Seq2[uint64, int] {
	return func(yield func(uint64, int) bool) {
		for begin := 0; begin < len(p); {
			prefix := leading(p[begin], depth)
			end := begin + 1
			for end < len(p) && leading(p[end], depth) == prefix {
				end++
			}
			if !yield(prefix, end-begin) {
				return
			}
			begin = end
		}
	}
}

// Histogram returns how many points lie in each of the 2^depth zones, for a
// picture. depth is clamped to 0..24.
func (p IDPoints) Histogram(depth int) []int {
	depth = min(max(depth, 0), 24)
	counts := make([]int, 1<<depth)
	if depth == 0 {
		counts[0] = len(p)
		return counts
	}
	for prefix, n := range p.Counts(depth) {
		counts[prefix] = n
	}
	return counts
}

// enough says that there are too few points to test, if there are.
func (p IDPoints) enough() error {
	if len(p) < leastPoints {
		return fmt.Errorf("%d independent IDs are too few to test how they are spread: want at least %d", len(p), leastPoints)
	}
	return nil
}

// leading returns the first depth bits of id, 1 to 64, as a number.
func leading(id kad.ID, depth int) uint64 { return binary.BigEndian.Uint64(id[:]) >> (64 - depth) }
