package contest

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

const heading = `| what | unit | lightdht | beside | its figure | lightdht is | notes |
|---|---|---|---|---|---|---|
`

// Markdown writes rows as one table, with a line for each entrant after the
// first, which is what it is compared with. A figure is the median of the
// passes, behind which stand the least and the greatest.
func Markdown(w io.Writer, rows []Row) error {
	var b strings.Builder
	b.WriteString(heading)
	for _, r := range rows {
		r.write(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Brief writes the medians alone, with a line for each row.
func Brief(w io.Writer, rows []Row) error {
	var b strings.Builder
	b.WriteString("| what | lightdht | beside it |\n|---|---|---|\n")
	for _, r := range rows {
		if len(r.Results) == 0 {
			continue
		}
		first := r.Results[0]
		var others []string
		for _, o := range r.Results[1:] {
			others = append(others, fmt.Sprintf("%s %s (%s)", o.Name, o.median(), r.verdict(first, o)))
		}
		line(&b, r.Name, first.median()+" "+r.Unit, strings.Join(others, "; "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// median is the figure of an entrant, or why there is none.
func (r Result) median() string {
	if len(r.Figures) == 0 {
		return r.figure()
	}
	return Number(r.Median())
}

func (r Row) write(b *strings.Builder) {
	if len(r.Results) == 0 {
		return
	}
	first, others := r.Results[0], r.Results[1:]
	cells := []string{r.Name, r.Unit, first.figure()}
	if len(others) == 0 {
		line(b, append(cells, "", "", "", first.notes(""))...)
	}
	for i, o := range others {
		notes := o.notes("")
		if i == 0 {
			notes = join(first.notes("lightdht: "), o.notes(o.Name+": "))
		}
		line(b, append(cells, o.Name, o.figure(), r.verdict(first, o), notes)...)
		cells = []string{"", "", ""}
	}
}

func line(b *strings.Builder, cells ...string) {
	for _, c := range cells {
		b.WriteString("| " + strings.ReplaceAll(c, "|", "\\|") + " ")
	}
	b.WriteString("|\n")
}

// verdict says how much better or worse lightdht does than another.
func (r Row) verdict(lightdht, other Result) string {
	if len(lightdht.Figures) == 0 || len(other.Figures) == 0 {
		return "–"
	}
	a, b := lightdht.Median(), other.Median()
	if r.More {
		a, b = b, a
	}
	switch ratio := b / a; {
	case math.IsNaN(ratio) || math.IsInf(ratio, 0) || ratio == 0:
		return "–"
	case ratio >= 0.995 && ratio < 1.005:
		return "the same"
	case ratio > 1:
		return Number(ratio) + "× better"
	default:
		return Number(1/ratio) + "× worse"
	}
}

// figure is the cell for the figures of an entrant.
func (r Result) figure() string {
	switch n := len(r.Figures); {
	case n > 1:
		return fmt.Sprintf("%s (%s–%s)", Number(r.Median()), Number(r.Figures[0]), Number(r.Figures[n-1]))
	case n == 1:
		return Number(r.Median())
	case r.Skip != "":
		return "skipped"
	case r.Failed > 0:
		return "failed"
	}
	return "not measured"
}

// notes is what there is to say, behind a prefix when that is anything.
func (r Result) notes(prefix string) string {
	var failed string
	if r.Failed > 0 {
		failed = fmt.Sprintf("%d of %d passes failed: %s", r.Failed, r.Failed+len(r.Figures), strings.Join(r.Errors, "; "))
	}
	if s := join(r.Skip, r.Note, failed); s != "" {
		return prefix + s
	}
	return ""
}

func join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}

// Number writes a figure with three digits that count, and its thousands apart.
func Number(v float64) string {
	if v == 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	digits := 2 - int(math.Floor(math.Log10(math.Abs(v))))
	if digits < 0 {
		unit := math.Pow10(-digits)
		v, digits = math.Round(v/unit)*unit, 0
	}
	s := strconv.FormatFloat(v, 'f', digits, 64)
	for at := strings.IndexByte(s+".", '.') - 3; at > len(s)-len(strings.TrimPrefix(s, "-")); at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}
