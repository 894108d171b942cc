package figure

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

// ticker marks an axis: as many labels as stand on it without touching, at most
// seven, at round numbers.
type ticker struct {
	scale
	length  vg.Length // of the axis
	upright bool
}

// Ticks implements plot.Ticker. The range is the ticker's own.
func (t ticker) Ticks(float64, float64) []plot.Tick {
	for least := 2; least > 0; least-- {
		for marks := range t.choices {
			if t.suit(marks, least) {
				return marks
			}
		}
	}
	return nil
}

// choices yields the ways to mark the axis, from many labels to few.
func (t ticker) choices(yield func([]plot.Tick) bool) {
	if t.log {
		for _, digits := range [][]float64{{1, 2, 5}, {1, 3}, {1}} {
			if !yield(t.decades(digits, 1)) {
				return
			}
		}
		for every := 2; every < 20; every++ {
			if !yield(t.decades([]float64{1}, every)) {
				return
			}
		}
	}
	step := math.Pow10(int(math.Floor(math.Log10((t.max - t.min) / 10))))
	if t.whole {
		step = max(1, step)
	}
	for _, times := range []float64{1, 2, 5, 10, 20, 50, 100} {
		if !yield(t.steps(step * times)) {
			return
		}
	}
}

// decades marks a logarithmic axis at these digits in every so many decades, and
// at the other digits without labels.
func (t ticker) decades(digits []float64, every int) (marks []plot.Tick) {
	first := int(math.Floor(math.Log10(t.min)))
	last := int(math.Ceil(math.Log10(t.max)))
	for decade := first; decade <= last; decade++ {
		for digit := 1.0; digit < 10; digit++ {
			m := plot.Tick{Value: digit * math.Pow10(decade)}
			for _, d := range digits {
				if d == digit && decade%every == 0 {
					m.Label = number(m.Value, -decade)
				}
			}
			if t.min <= m.Value && m.Value <= t.max && (every == 1 || digit == 1) && !(t.whole && decade < 0) {
				marks = append(marks, m)
			}
		}
	}
	return marks
}

// steps marks an axis at the multiples of a step.
func (t ticker) steps(step float64) (marks []plot.Tick) {
	digits := -int(math.Floor(math.Log10(step) + 1e-9))
	slack := (t.max - t.min) * 1e-9
	for i := math.Ceil((t.min - slack) / step); i*step <= t.max+slack; i++ {
		v := min(max(i*step, t.min), t.max)
		marks = append(marks, plot.Tick{Value: v, Label: number(i*step, digits)})
		if len(marks) > 100 {
			break
		}
	}
	return marks
}

// suit reports whether there are so many labels or more, and they stand apart.
func (t ticker) suit(marks []plot.Tick, least int) bool {
	labels, end := 0, math.Inf(-1)
	for _, m := range marks {
		if m.IsMinor() {
			continue
		}
		half := float64(lineHeight) / 2
		if !t.upright {
			half = float64(widthOf(m.Label)+textSize) / 2
		}
		at := t.share(m.Value) * float64(t.length)
		if at-half < end {
			return false
		}
		end = at + half
		labels++
	}
	return least <= labels && labels <= 7
}

// share is how far along the axis a value stands.
func (s scale) share(v float64) float64 {
	if s.log {
		return math.Log(v/s.min) / math.Log(s.max/s.min)
	}
	return (v - s.min) / (s.max - s.min)
}

// number writes v with so many decimals: thousands between commas, and from a
// million on with M or G.
func number(v float64, decimals int) string {
	size := math.Abs(v)
	switch {
	case size >= 1e15 || size > 0 && size < 1e-4:
		digits := max(1, decimals+int(math.Floor(math.Log10(size)+1e-9))+1)
		return strings.NewReplacer("e-0", "e-", "e+", "e").Replace(strconv.FormatFloat(v, 'g', digits, 64))
	case size >= 1e9:
		return trimmed(v/1e9, decimals+9) + " G"
	case size >= 1e6:
		return trimmed(v/1e6, decimals+6) + " M"
	}
	return thousands(strconv.FormatFloat(v, 'f', max(0, decimals), 64))
}

// trimmed writes v without the zeros behind its last decimal.
func trimmed(v float64, decimals int) string {
	s := strconv.FormatFloat(v, 'f', max(0, decimals), 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return thousands(s)
}

// thousands puts commas between the thousands of a number in digits.
func thousands(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	whole, rest, _ := strings.Cut(s, ".")
	if rest != "" {
		rest = "." + rest
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if sign != "" && strings.Trim(whole+rest, "0.,") == "" {
		sign = "" // no minus before a zero
	}
	return sign + whole + rest
}

// count writes a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return thousands(strconv.Itoa(n)) + " " + plural(thing)
}

// plural returns the word for several things.
func plural(thing string) string {
	if strings.HasSuffix(thing, "s") {
		return thing + "es"
	}
	return thing + "s"
}

// brief writes v with three digits that count, and no zeros behind them.
func brief(v float64) string {
	if v == 0 {
		return "0"
	}
	decimals := 2 - int(math.Floor(math.Log10(math.Abs(v))))
	if math.Abs(v) < 1e-4 || math.Abs(v) >= 1e6 {
		return number(v, decimals)
	}
	return trimmed(v, decimals)
}
