package analysis

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// censusLevel is the confidence of the intervals of a census.
const censusLevel = 0.95

// none is a number that there is none of.
func none() Number { return Number{Value: math.NaN()} }

// shareWithout returns a share without an interval, as of what was chosen by it.
func shareWithout(part, whole float64, samples int) Share {
	s := Share{Number: none(), Count: part, Of: whole}
	if s.Samples = samples; whole > 0 {
		s.Value = part / whole
	}
	return s
}

// Mean returns the mean of values, m, with its interval by Student's t,
//
//	m ± t(1-a/2; n-1) s / sqrt(n),  a = 1-level
//
// where s is their standard deviation; of one value there is none, and of values that
// are all the same, as what they are spread over does not show. The mean of none is
// NaN. The interval is exact when the values are drawn independently from one normal
// distribution, and close to that for others as n grows (Student, The probable error
// of a mean, Biometrika 6, 1908).
//
// It takes runs for alike and independent. Runs that follow each other within minutes
// see the same nodes: it is then too narrow for what the network is over days. Runs of
// several kinds are no sample of anything: it is then about how much they differ. Nor
// does it know of bounds: a census cuts it off where a number cannot be.
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
