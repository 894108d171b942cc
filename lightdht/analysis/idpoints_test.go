package analysis

import (
	"maps"
	"slices"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

func TestCountsAgainstTwin(t *testing.T) {
	r := source(t, 1)
	for _, n := range []int{0, 1, 2, 50, 3000} {
		points := drawPoints(r, n)
		for i := 0; i+1 < n; i += 10 { // some that share much
			points[i+1] = points[i].Prefix(61).Fill(points[i+1])
		}
		slices.SortFunc(points, kad.ID.Compare)
		for _, depth := range []int{1, 2, 7, 8, 9, 21, 33, 61, 64} {
			want, got := map[kad.Prefix]int{}, map[kad.Prefix]int{}
			for _, id := range points {
				want[id.Prefix(depth)]++
			}
			for prefix, count := range points.Counts(depth) {
				got[zonePrefix(kad.Prefix{}, prefix<<(64-depth), depth)] += count
			}
			if !maps.Equal(got, want) {
				t.Errorf("%d points by %d bits: other counts than the twin's", n, depth)
			}
		}
	}
}

func TestHistogram(t *testing.T) {
	points := IDPoints{{0x00}, {0x10}, {0x7f}, {0xc0}, {0xff}}
	for depth, want := range map[int][]int{-1: {5}, 0: {5}, 1: {3, 2}, 2: {2, 1, 0, 2}} {
		if got := points.Histogram(depth); !slices.Equal(got, want) {
			t.Errorf("depth %d: %v, want %v", depth, got, want)
		}
	}
	if got := len(points.Histogram(99)); got != 1<<24 {
		t.Errorf("the deepest histogram has %d zones", got)
	}
}

func TestDepths(t *testing.T) {
	for n, want := range map[int][]int{
		19: nil, 20: {2}, 39: {2}, 40: {3}, 80: {4}, 160: {4, 5}, 2000: {4, 8}, 100_000: {4, 8, 12, 14}, 10_000_000: {4, 8, 12, 16, 20},
	} {
		got := IDPoints(make([]kad.ID, n)).Depths()
		if !slices.Equal(got, want) {
			t.Errorf("%d points are tested at depths %v, want %v", n, got, want)
		}
		for _, depth := range got {
			if n < leastPerBin<<depth {
				t.Errorf("%d points at depth %d are fewer than %d a zone", n, depth, leastPerBin)
			}
		}
	}
}
