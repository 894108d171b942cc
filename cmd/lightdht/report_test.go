package main

import (
	"math"
	"strings"
	"testing"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/export"
)

// shareOf is a share that was counted in one way.
func shareOf(item, way string, count, of float64) finding {
	f := found("clients", item, count/of, "share").within(analysis.Interval{Lo: count/of - 0.01, Hi: count/of + 0.01, Level: 0.95, Method: "Clopper-Pearson"})
	f.counted, f.count, f.samples = way, count, of
	return f
}

// What was counted in several ways stands side by side, and what is the same for
// all is said once.
func TestReportPage(t *testing.T) {
	r := &report{what: "nodes"}
	r.tell("data", "%s", "st")
	r.add("clients", "as they told", shareOf("LT", "id", 1200, 2000), shareOf("UT", "id", 800, 2000), shareOf("LT", "run", 0.5, 2))
	r.add("nothing", "is not shown")
	test := found("uniformity", "chi-square", 1234.4, "")
	test.df, test.p, test.samples, test.estimator = 255, 1e-9, 2000, "Pearson"
	r.add("uniformity", "", test)
	const want = `data        st

CLIENTS
as they told
intervals: Clopper-Pearson
                   by ID (n = 2,000)          mean of runs (n = 2)
      count   share  95 % interval  count   share  95 % interval
  LT  1,200  60.0 %   59.0 to 61.0 %    0.5  25.0 %   24.0 to 26.0 %
  UT    800  40.0 %   39.0 to 41.0 %

UNIFORMITY
               value   df        p      n  method
  chi-square   1,234  255  1.0e-09  2,000  Pearson
`
	if got := r.page(false); squeeze(got) != squeeze(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, line := range strings.Split(r.page(false), "\n") {
		if strings.TrimRight(line, " ") != line {
			t.Errorf("%q ends in blanks", line)
		}
	}
	const markdown = `- data: st

### clients

as they told

intervals: Clopper-Pearson

|  | by ID (n = 2,000): count | share | 95 % interval | mean of runs (n = 2): count | share | 95 % interval |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
| LT | 1,200 | 60.0 % | 59.0 to 61.0 % | 0.5 | 25.0 % | 24.0 to 26.0 % |
| UT | 800 | 40.0 % | 39.0 to 41.0 % |  |  |  |

### uniformity

|  | value | df | p | n | method |
| --- | ---: | ---: | ---: | ---: | --- |
| chi-square | 1,234 | 255 | 1.0e-09 | 2,000 | Pearson |
`
	if got := r.page(true); got != markdown {
		t.Errorf("got\n%s\nwant\n%s", got, markdown)
	}
}

// An interval may have one end; a test has a method and no interval.
func TestReportOfHalfIntervals(t *testing.T) {
	r := &report{}
	up := found("trips", "99 %", 7110, "us").within(analysis.Interval{Lo: 7110, Hi: math.Inf(1), Level: 0.95, Method: "order statistics"})
	down := found("trips", "5 %", 200, "us").within(analysis.Interval{Lo: math.Inf(-1), Hi: 300, Level: 0.95, Method: "order statistics"})
	r.add("trips", "", up, down)
	a, b := found("tests", "a", 1, ""), found("tests", "b", 2, "")
	a.estimator, b.estimator = "Moran", "Moran"
	r.add("tests", "", a, b)
	r.add("plain", "", found("plain", "c", 3, ""))
	const want = `
TRIPS
intervals: order statistics
           value     95 % interval
  99 %    7.11ms  at least 7.11ms
  5 %      200µs     at most 300µs

TESTS
method: Moran
  value
  a      1
  b      2

PLAIN
  value
  c      3
`
	if got := r.page(false); squeeze(got) != squeeze(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Facts of one name are all told, in JSON as well.
func TestReportTellsTwice(t *testing.T) {
	r := &report{}
	r.tell("left out", "one")
	r.tell("left out", "two")
	var to strings.Builder
	if err := r.writeJSON(&to); err != nil || !strings.Contains(to.String(), `"left out": "one; two"`) {
		t.Errorf("%s, %v", to.String(), err)
	}
}

// squeeze leaves the columns of a text and drops how they are aligned.
func squeeze(s string) string {
	var lines []string
	for line := range strings.Lines(s) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return strings.Join(lines, "\n")
}

// Columns of text stand below each other.
func TestReportColumnsAlign(t *testing.T) {
	r := &report{}
	r.add("sizes", "", shareOf("a", "id", 1, 3), shareOf("long name", "id", 2_000_000, 3_000_000))
	lines := strings.Split(strings.TrimSpace(r.page(false)), "\n")
	ends := map[int]bool{}
	for _, line := range lines[2:] {
		ends[len(line)] = true
	}
	if len(ends) != 1 {
		t.Errorf("lines end at %v:\n%s", ends, strings.Join(lines, "\n"))
	}
}

func TestQuantity(t *testing.T) {
	for _, c := range []struct {
		v    float64
		unit string
		want string
	}{
		{0.5, "share", "50.0 %"}, {1, "share", "100 %"}, {0, "share", "0 %"}, {0.0123, "share", "1.23 %"}, {0.00004, "share", "0.0040 %"},
		{0.99996, "share", "100.0 %"}, {1e-15, "share", "1.0e-13 %"},
		{12345, "us", "12.35ms"}, {3, "us", "3µs"}, {2.5e6, "us", "2.5s"},
		{1234567, "", "1,234,567"}, {1234.4, "nodes", "1,234 nodes"}, {0.123456, "bits", "0.12346 bits"}, {12345.6, "", "12,346"}, {-3, "", "-3"},
		{1e20, "", "1e+20"},
	} {
		if got := quantity(c.v, c.unit); got != c.want {
			t.Errorf("%v %s: %q, want %q", c.v, c.unit, got, c.want)
		}
	}
	for p, want := range map[float64]string{0: "< 1e-300", 1e-9: "1.0e-09", 0.5: "0.500", 0.0009: "9.0e-04", 1: "1.000"} {
		if got := probability(p); got != want {
			t.Errorf("p %v: %q, want %q", p, got, want)
		}
	}
}

// As rows, findings have what is absent as absent, whole numbers as such, and no
// number that cannot be written.
func TestFindingsAsRows(t *testing.T) {
	r := &report{what: "ids"}
	f := found("gaps", "Moran", math.Inf(1), "")
	f.samples, f.p = 12, 0.25
	r.add("gaps", "", f, shareOf("LT", "id", 1, 4))
	for format, want := range map[export.Format]string{
		export.CSV: "section,item,counted,count,value,unit,ci_lo,ci_hi,level,estimator,samples,df,p_value\r\n" +
			"gaps,Moran,,,,,,,,,12,,0.25\r\n" +
			"clients,LT,id,1,0.25,share,0.24,0.26,0.95,Clopper-Pearson,4,,\r\n",
		export.NDJSON: `{"section":"gaps","item":"Moran","counted":null,"count":null,"value":null,"unit":null,"ci_lo":null,"ci_hi":null,"level":null,"estimator":null,"samples":12,"df":null,"p_value":0.25}` + "\n" +
			`{"section":"clients","item":"LT","counted":"id","count":1,"value":0.25,"unit":"share","ci_lo":0.24,"ci_hi":0.26,"level":0.95,"estimator":"Clopper-Pearson","samples":4,"df":null,"p_value":null}` + "\n",
	} {
		var to, says strings.Builder
		r.about = []fact{{"left out", "nothing"}}
		if err := (&reporting{format: format}).render(&to, &says, r); err != nil {
			t.Fatal(err)
		}
		if to.String() != want || says.String() != "left out: nothing\n" {
			t.Errorf("%s: got\n%s\nand said %q, want\n%s", format, to.String(), says.String(), want)
		}
	}
}
