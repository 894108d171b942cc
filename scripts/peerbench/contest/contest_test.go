package contest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// fake is an entrant that gives one figure after another, and notes its turns.
func fake(name string, turns *[]string, figures ...float64) Entrant {
	i := 0
	return Entrant{Name: name, Run: func(context.Context) (float64, string, error) {
		*turns = append(*turns, name)
		i++
		if figures[i-1] < 0 {
			return 0, "", errors.New("out of\norder")
		}
		return figures[i-1], fmt.Sprint("note ", i), nil
	}}
}

func contests(turns *[]string) []Contest {
	return []Contest{
		{Name: "answer", Unit: "1/s", More: true, Entrants: []Entrant{
			fake("lightdht", turns, 200000, 100000, 300000),
			fake("half", turns, 100000, -1, 100000),
			fake("broken", turns, -1, -1, -1),
			{Name: "absent", Skip: "not installed | not here"},
		}},
		{Name: "read", Unit: "ns", Entrants: []Entrant{
			fake("mine", turns, 3, 1, 2),
			fake("thrice", turns, 6, 6, 6),
			fake("quick", turns, 1, 1, 1),
			fake("same", turns, 2, 2, 2),
		}},
	}
}

// Everybody has a turn before anybody has another.
func TestTurns(t *testing.T) {
	var turns []string
	Run(t.Context(), contests(&turns), 3, io.Discard)
	once := []string{"lightdht", "half", "broken", "mine", "thrice", "quick", "same"}
	if !slices.Equal(turns, slices.Repeat(once, 3)) {
		t.Errorf("turns: %q", turns)
	}
}

func TestMarkdown(t *testing.T) {
	var turns []string
	var said, b strings.Builder
	if err := Markdown(&b, Run(t.Context(), contests(&turns), 3, &said)); err != nil {
		t.Fatal(err)
	}
	const want = heading +
		`| answer | 1/s | 200,000 (100,000–300,000) | half | 100,000 (100,000–100,000) | 2.00× better | lightdht: note 3; half: note 3; 1 of 3 passes failed: out of order |
|  |  |  | broken | failed | – | 3 of 3 passes failed: out of order |
|  |  |  | absent | skipped | – | not installed \| not here |
| read | ns | 2.00 (1.00–3.00) | thrice | 6.00 (6.00–6.00) | 3.00× better | lightdht: note 3; thrice: note 3 |
|  |  |  | quick | 1.00 (1.00–1.00) | 2.00× worse | note 3 |
|  |  |  | same | 2.00 (2.00–2.00) | the same | note 3 |
`
	if b.String() != want {
		t.Errorf("it writes\n%swant\n%s", b.String(), want)
	}
	if got := said.String(); !strings.Contains(got, "pass 3 of 3: answer, lightdht: 300,000 1/s; note 3\n") || !strings.Contains(got, "broken: out of") {
		t.Errorf("it says on the way\n%s", got)
	}
}

// Ended early, it gives what there is.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var turns []string
	all := contests(&turns)
	all[0].Entrants[1].Run = func(ctx context.Context) (float64, string, error) { cancel(); return 0, "", ctx.Err() }
	rows := Run(ctx, all, 3, io.Discard)
	ended := rows[0].Results[1]
	if len(turns) != 1 || len(rows) != 2 || len(rows[0].Results[0].Figures) != 1 || ended.Failed > 0 || rows[1].Results[0].figure() != "not measured" {
		t.Errorf("after %q: %+v", turns, rows)
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 0.01234: "0.0123", 1: "1.00", 99.95: "100.0", 123.4: "123", 1234: "1,230", 999999: "1,000,000", 172345: "172,000", -1234567: "-1,230,000", -123: "-123",
	} {
		if got := Number(v); got != want {
			t.Errorf("%v is written %q, want %q", v, got, want)
		}
	}
}

func TestModel(t *testing.T) {
	if got := model("processor\t: 0\nmodel\t\t: 2\nmodel name\t: Some CPU @ 2 GHz\n"); got != "Some CPU @ 2 GHz" {
		t.Errorf("a processor is called %q", got)
	}
	if got := model("processor: 0\n"); !strings.Contains(got, "does not tell") {
		t.Errorf("a nameless processor is called %q", got)
	}
}

func TestBrief(t *testing.T) {
	var turns []string
	var b strings.Builder
	if err := Brief(&b, Run(t.Context(), contests(&turns), 3, io.Discard)); err != nil {
		t.Fatal(err)
	}
	const want = `| what | lightdht | beside it |
|---|---|---|
| answer | 200,000 1/s | half 100,000 (2.00× better); broken failed (–); absent skipped (–) |
| read | 2.00 ns | thrice 6.00 (3.00× better); quick 1.00 (2.00× worse); same 2.00 (the same) |
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}
