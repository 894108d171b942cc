package analysis

import (
	"math"
	"testing"
)

// Far out, as many intervals that are to hold together need them, the ends leave the
// tails that they should, to six digits; a search that loses its way there would not.
func TestClopperPearsonFarOut(t *testing.T) {
	for _, n := range []int{1, 2, 5, 30, 1000, 54_321, 1_000_000, 10_000_000} {
		for _, hits := range []int{0, 1, 2, 3, 4, 7, 20, 100, n / 1000, n / 100, n / 7, n / 2, n - n/50, n - 3, n - 1, n} {
			if hits < 0 || hits > n {
				continue
			}
			for _, level := range []float64{0.9, 0.95, 1 - 1e-3, 1 - 0.05/200, 1 - 1e-4, 1 - 0.05/1e4, 1 - 0.05/1e5, 1 - 1e-6, 1 - 1e-7, 1 - 1e-9} {
				i, tail := ClopperPearson(hits, n, level), (1-level)/2
				if got := atLeast(hits, n, i.Lo); hits > 0 && !close(got, tail, 1e-6) {
					t.Errorf("%d of %d at 1-%g: from %v on they are in %v, want %v", hits, n, 1-level, i.Lo, got, tail)
				}
				slack := 1e-6 * tail
				if i.Hi > 0.5 { // of what is left to 1 a float64 has no more than this
					slack += float64(n) * 0x1p-53
				}
				if got := atLeast(n-hits, n, 1-i.Hi); hits < n && math.Abs(got-tail) > slack {
					t.Errorf("%d of %d at 1-%g: up to %v they are in %v, want %v", hits, n, 1-level, i.Hi, got, tail)
				}
			}
		}
	}
	if i := ClopperPearson(3, 1e6, 1-1e-6); !close(i.Hi, 2.2148e-5, 1e-4) {
		t.Errorf("3 of a million: %+v", i)
	}
}

// Numbers that are not whole lie between those that are.
func TestExactLimitsBetweenWhole(t *testing.T) {
	lo, hi := exactLimits(2.5, 30, 0.95)
	below, above := ClopperPearson(2, 30, 0.95), ClopperPearson(3, 30, 0.95)
	if !(below.Lo < lo && lo < above.Lo && below.Hi < hi && hi < above.Hi) {
		t.Errorf("%v to %v, between %+v and %+v", lo, hi, below, above)
	}
	if lo, hi := exactLimits(1e-9, 30, 0.95); lo != 0 || !close(hi, ClopperPearson(0, 30, 0.95).Hi, 1e-6) {
		t.Errorf("of next to nothing: %v to %v", lo, hi)
	}
}

// Student's distribution of one degree of freedom and of two has quantiles in closed
// form; that of ten is from the tables.
func TestTQuantile(t *testing.T) {
	for _, level := range []float64{0.5, 0.95, 0.999, 1 - 1e-6, 1 - 1e-9} {
		a := 1 - level
		if got, want := tQuantile(level, 1), 1/math.Tan(math.Pi*a/2); !close(got, want, 1e-6) {
			t.Errorf("df 1 at 1-%g: %v, want %v", a, got, want)
		}
		if got, want := tQuantile(level, 2), (1-a)*math.Sqrt(2/(a*(2-a))); !close(got, want, 1e-6) {
			t.Errorf("df 2 at 1-%g: %v, want %v", a, got, want)
		}
	}
	if got := tQuantile(0.95, 10); !close(got, 2.228139, 1e-6) {
		t.Errorf("df 10: %v", got)
	}
}
