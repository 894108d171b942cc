package figure

import (
	"fmt"
	"math"
	"testing"

	"github.com/lightdht/lightdht/lightdht/analysis"
)

// Names stand from the top in the order given; what is too wide is cut, what is no
// text is shown as such.
func TestNames(t *testing.T) {
	in := Shares{Entities: []Entity{{Name: "LT"}, {Name: ""}, {Name: "µTorrent\n"}, {Name: "a name of many words"}}}
	if got, want := fmt.Sprint(in.names(40)), "[{3 LT} {2 (no name)} {1 ?Torrent?} {0 a name ...}]"; got != want {
		t.Errorf("names %s, want %s", got, want)
	}
}

// The axis ends a little beyond the largest share or interval, and at 102 % at most.
func TestTop(t *testing.T) {
	for _, c := range []struct{ share, hi, want float64 }{
		{0.5, 0.6, 62.4}, {0.5, 0, 52}, {1, 1, 102}, {0, 0, 0.01}, {math.NaN(), 0.9, 0.01},
	} {
		s := Share{c.share, analysis.Interval{Hi: c.hi}}
		if got := (Shares{Entities: []Entity{{Shares: []Share{s}}}}).top(); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("the axis of a share of %v up to %v ends at %v, want %v", c.share, c.hi, got, c.want)
		}
	}
}
