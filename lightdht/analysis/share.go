package analysis

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// censusLevel is the confidence of the intervals of a census.
const censusLevel = 0.95

// none is a number that there is none of.
func none() Number { return Number{Value: math.NaN()} }

// shareOf returns a share with its interval; of none its Value is NaN, and it has
// none.
func shareOf(hits, n int) Share {
	s := Share{Number: none(), Count: float64(hits), Of: float64(n)}
	if s.Samples = n; n > 0 {
		s.Value, s.Interval = float64(hits)/float64(n), ClopperPearson(hits, n, censusLevel)
	}
	return s
}

// Mean returns the mean of values, m, with its interval by Student's t,
//
//	m ± t(1-a/2; n-1) s / sqrt(n),  a = 1-level
//
// where s is their standard deviation; of one value there is none, and of values that
// are all the same, as what they are spread over does not show. The mean of none is NaN. The interval is exact when the values are drawn independently from a
// normal distribution, and close to that for others as n grows (Student, The
// probable error of a mean, Biometrika 6, 1908). Runs that follow each other within
// minutes see the same nodes and are not independent: it is then too narrow for what
// the network is over days.
func Mean(values []float64, level float64) Number {
	n := Number{Value: math.NaN(), Samples: len(values)}
	switch len(values) {
	case 0:
	case 1:
		n.Value = values[0]
	default:
		mean, sd := stat.MeanStdDev(values, nil)
		half := tQuantile(level, float64(len(values)-1)) * sd / math.Sqrt(float64(len(values)))
		n.Value = mean
		if sd > 1e-12*math.Abs(mean) { // less is of rounding
			n.Interval = Interval{Lo: mean - half, Hi: mean + half, Level: level, Method: "Student's t over runs"}
		}
	}
	return n
}

// within returns n with an interval that stays between two bounds that the truth
// has.
func (n Number) within(lo, hi float64) Number {
	if n.Interval.Level != 0 {
		n.Interval.Lo, n.Interval.Hi = max(n.Interval.Lo, lo), min(n.Interval.Hi, hi)
	}
	return n
}
