package figure

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/vg"
)

// finite refuses what is no number that can be drawn: NaN, the infinities, and
// what is so far from 1 that an axis would end beyond the numbers that there are.
func finite(what string, values ...float64) error {
	for _, v := range values {
		if size := math.Abs(v); math.IsNaN(v) || size > 1e60 || size > 0 && size < 1e-60 {
			return fmt.Errorf("%s is %v, which has no place in a figure", what, v)
		}
	}
	return nil
}

// points returns the width in points.
func (w Width) points() (vg.Length, error) {
	if !(w >= Narrowest && w <= Widest) {
		return 0, fmt.Errorf("a width of %v mm: want %v to %v, such as 88, a column, or 180, two of them", float64(w), Narrowest, Widest)
	}
	return vg.Length(w) * vg.Millimeter, nil
}
