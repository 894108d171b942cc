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

// cusum searches bins for stretches that are fuller than they should be.
//
// It is Page's cumulative sum (1954, Biometrika 41) for Poisson counts: bin by bin
// it adds O ln r - (r-1) E, the logarithm of how much likelier O is when there are r
// times as many, and begins anew below zero. A stretch runs from where the sum
// left zero to its peak. After a peak from which the sum fell by giveUp, it begins
// anew behind the peak, so that one great crowd does not hide what comes after it.
// r is 1 + 4/sqrt(E): what four standard deviations in one bin come to.
type cusum struct {
	shift uint    // the bin of a key is key>>shift
	gain  float64 // ln r, for each key
	drift float64 // (r-1) E, off for each bin
	least int     // keys that a stretch needs to matter
	reach uint64  // how many bins on the last of so many keys is at most
	alone bool    // stretches of one bin are all that is asked for
}

// newCusum returns the search for stretches of at least least keys, at least 1,
// where each bin should hold expected.
func newCusum(shift uint, expected float64, least int, alone bool) cusum {
	r := 1 + 4/math.Sqrt(expected)
	c := cusum{shift: shift, gain: math.Log(r), drift: (r - 1) * expected, least: least, alone: alone}
	if alone {
		return c
	}
	c.reach = uint64(min(float64(least)*c.gain/c.drift, 1<<62))
	return c
}

// each calls found with the stretches among sorted keys, in order. Bins without
// keys are not visited, and a bin is only climbed from when enough keys follow it
// closely: for with fewer than least keys the sum was below zero before.
func (c cusum) each(keys []uint64, found func(stretch)) {
	for i := 0; i+c.least <= len(keys); {
		if keys[i+c.least-1]>>c.shift-keys[i]>>c.shift > c.reach {
			i++
			continue
		}
		best, next := c.climb(keys[i:])
		if best.observed >= c.least {
			found(best)
		}
		i += next
	}
}

// bin returns the bin of the first key as a stretch, and how many keys are in it.
func (c cusum) bin(keys []uint64) (stretch, int) {
	first, n := keys[0]>>c.shift, binEnd(keys, 0, c.shift)
	return stretch{first, first, n}, n
}

// climb follows the sum from the bin of the first key until it is below zero or
// far below its peak. It returns the stretch up to the peak, without keys when
// there is no peak, and how many keys that leaves behind.
func (c cusum) climb(keys []uint64) (best stretch, next int) {
	if c.alone {
		return c.bin(keys)
	}
	best.first = keys[0] >> c.shift
	next = binEnd(keys, 0, c.shift)
	sum, peak := 0.0, 0.0
	for begin, last := 0, best.first-1; begin < len(keys); {
		bin := keys[begin] >> c.shift
		sum -= float64(bin-last-1) * c.drift // the empty bins between
		if sum < 0 || sum < peak-giveUp {
			break
		}
		end := binEnd(keys, begin, c.shift)
		sum += float64(end-begin)*c.gain - c.drift
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
