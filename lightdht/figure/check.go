package figure

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/vg"
)

// finite refuses what is no number that can be drawn.
func finite(what string, values ...float64) error {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%s is %v, which has no place in a figure", what, v)
		}
	}
	return nil
}

// points returns the width in points.
func (w Width) points() (vg.Length, error) {
	if !(w >= 60 && w <= 400) {
		return 0, fmt.Errorf("a width of %v mm: want 60 to 400, such as 88, a column, or 180, two of them", float64(w))
	}
	return vg.Length(w) * vg.Millimeter, nil
}
