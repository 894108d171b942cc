package analysis

import "math"

// stretch is a run of neighbouring bins, and how many points lie there.
type stretch struct {
	first, last uint64
	observed    int
}

func (s stretch) length() float64 { return float64(s.last-s.first) + 1 }

// giveUp is how far a sum may fall below its peak before the stretch ends there:
// what follows is then e^12 times likelier without a crowd.
const giveUp = 12

// cusum calls found with each stretch of bins that is fuller than it should be,
// in order. keys are sorted; the bin of a key is key>>shift; each bin should hold
// expected of them.
//
// It is Page's cumulative sum (1954, Biometrika 41) for Poisson counts: bin by bin
// it adds O ln r - (r-1) E, the logarithm of how much likelier O is when there are r
// times as many, and begins anew below zero. A stretch runs from where the sum
// left zero to its peak. After a peak from which the sum fell by giveUp, it begins
// anew behind the peak, so that one great crowd does not hide what comes after it.
// r is 1 + 4/sqrt(E): what four standard deviations in one bin come to.
//
// Only bins with a key in them are visited.
func cusum(keys []uint64, shift uint, expected float64, found func(stretch)) {
	r := 1 + 4/math.Sqrt(expected)
	gain, drift := math.Log(r), (r-1)*expected
	for i := 0; i < len(keys); {
		best, next := climb(keys[i:], shift, gain, drift)
		if best.observed > 0 {
			found(best)
		}
		i += next
	}
}

// climb follows the sum from the bin of the first key until it is below zero or
// far below its peak. It returns the stretch up to the peak, without keys when
// there is no peak, and how many keys that leaves behind.
func climb(keys []uint64, shift uint, gain, drift float64) (best stretch, next int) {
	best.first = keys[0] >> shift
	next = binEnd(keys, 0, shift)
	sum, peak := 0.0, 0.0
	for begin, last := 0, best.first-1; begin < len(keys); {
		bin := keys[begin] >> shift
		sum -= float64(bin-last-1) * drift // the empty bins between
		if sum < 0 || sum < peak-giveUp {
			break
		}
		end := binEnd(keys, begin, shift)
		sum += float64(end-begin)*gain - drift
		if sum > peak {
			peak, next = sum, end
			best.last, best.observed = bin, end
		}
		begin, last = end, bin
	}
	return best, next
}

// binEnd returns where the bin of keys[begin] ends. It looks at one key where
// bins are small and halves its way where they are large.
func binEnd(keys []uint64, begin int, shift uint) int {
	bin := keys[begin] >> shift
	inside, step := begin, 1
	for inside+step < len(keys) && keys[inside+step]>>shift == bin {
		inside += step
		step *= 2
	}
	outside := min(inside+step, len(keys))
	for outside-inside > 1 {
		if middle := (inside + outside) / 2; keys[middle]>>shift == bin {
			inside = middle
		} else {
			outside = middle
		}
	}
	return outside
}
