package figure

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
)

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		v        float64
		decimals int
		want     string
	}{
		{0, 0, "0"}, {0, 2, "0.00"}, {-0.0001, 2, "0.00"}, {1, 0, "1"}, {999, -2, "999"}, {1000, 0, "1,000"}, {-1234.5, 1, "-1,234.5"},
		{123456, 0, "123,456"}, {999999, 0, "999,999"}, {1e6, -6, "1 M"}, {2.5e6, -5, "2.5 M"}, {1.25e7, -4, "12.5 M"}, {1e9, -9, "1 G"},
		{12e9, -9, "12 G"}, {0.3, 1, "0.3"}, {0.0001, 4, "0.0001"}, {0.00001, 5, "1e-5"}, {2e-12, 12, "2e-12"}, {3e17, -17, "3e17"},
	} {
		if got := number(c.v, c.decimals); got != c.want {
			t.Errorf("number(%v, %d) = %q, want %q", c.v, c.decimals, got, c.want)
		}
	}
	for v, want := range map[float64]string{0: "0", 40: "40", 34.44: "34.4", 0.03: "0.03", 0.031249: "0.0312", 99.9: "99.9", 1234: "1,234", 2e6: "2 M"} {
		if got := brief(v); got != want {
			t.Errorf("brief(%v) = %q, want %q", v, got, want)
		}
	}
	for n, want := range map[int]string{0: "0 contacts", 1: "1 contact", 12345: "12,345 contacts", 12345678: "12,345,678 contacts"} {
		if got := count(n, "contact"); got != want {
			t.Errorf("count(%d) = %q, want %q", n, got, want)
		}
	}
}

// labels returns those of an axis.
func labels(t ticker) (all []string) {
	for _, m := range t.Ticks(t.min, t.max) {
		if !m.IsMinor() {
			all = append(all, m.Label)
		}
	}
	return all
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		scale
		length vg.Length
		want   string
	}{
		{scale{min: 0, max: 100}, 200, "0 20 40 60 80 100"},
		{scale{min: 0, max: 0.01}, 200, "0.000 0.002 0.004 0.006 0.008 0.010"},
		{scale{min: 9900, max: 10100}, 200, "9,900 9,950 10,000 10,050 10,100"},
		{scale{min: 0, max: 25e6}, 200, "0 5 M 10 M 15 M 20 M 25 M"},
		{scale{min: 1, max: 256, log: true}, 200, "1 3 10 30 100"},
		{scale{min: 0.02, max: 4000, log: true}, 200, "0.1 1 10 100 1,000"},
		{scale{min: 0.9, max: 2.2, log: true, whole: true}, 200, "1 2"},
		{scale{min: 6.4, max: 15.4, log: true, whole: true}, 200, "8 10 12 14"},
		{scale{min: 1.8, max: 4.4, log: true, whole: true}, 200, "2 3 4"},
		{scale{min: 21, max: 26, log: true}, 200, "21 22 23 24 25 26"},
		{scale{min: 1e-6, max: 1e6, log: true}, 200, "1e-6 0.0001 0.01 1 100 10,000 1 M"},
	} {
		if got := strings.Join(labels(ticker{scale: c.scale, length: c.length}), " "); got != c.want {
			t.Errorf("labels of %+v on %v points: %s; want %s", c.scale, c.length, got, c.want)
		}
	}
}

// Whatever an axis spans, there are labels on it, none twice and none touching.
func TestTicksStandApart(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 0))
	for range 3_000 {
		s := scale{log: r.IntN(2) == 0}
		s.min = math.Pow(10, 14*r.Float64()-7)
		s.max = s.min * (1 + math.Pow(10, 9*r.Float64()-3))
		a := ticker{scale: s, length: vg.Length(80 + 400*r.Float64()), upright: r.IntN(2) == 0}
		all := labels(a)
		if len(all) == 0 || len(all) > 7 || len(slices.Compact(slices.Sorted(slices.Values(all)))) != len(all) {
			t.Fatalf("%+v: labels %q", a, all)
		}
		end := vg.Length(math.Inf(-1))
		for _, m := range a.Ticks(s.min, s.max) {
			if m.IsMinor() {
				continue
			}
			at, half := vg.Length(a.share(m.Value))*a.length, widthOf(m.Label)/2
			if a.upright {
				half = textSize / 2
			}
			if at-half <= end {
				t.Fatalf("%+v: labels touch: %q", a, all)
			}
			end = at + half
		}
	}
}
