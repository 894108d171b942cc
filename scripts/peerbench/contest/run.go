package contest

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Row is what came of a contest.
type Row struct {
	Name, Unit string
	More       bool
	Results    []Result // in the order of the entrants
}

// Result is what came of an entrant: figures, or the reason why there are none,
// or both when only some passes failed.
type Result struct {
	Name    string
	Skip    string
	Figures []float64 // of the passes that succeeded, in order of size
	Note    string    // of the last of them
	Errors  []string  // of the others, each once
	Failed  int       // how many those are
}

// Median returns the middle figure, the lower one of two.
func (r Result) Median() float64 { return r.Figures[(len(r.Figures)-1)/2] }

// Run has every entrant of every contest do its work once in each pass, and
// returns a row for each contest, however much went wrong. When ctx is done it
// returns what there is.
func Run(ctx context.Context, contests []Contest, passes int, progress io.Writer) []Row {
	rows := begin(contests)
	for pass := range passes {
		for i, c := range contests {
			for j, e := range c.Entrants {
				if e.Skip != "" {
					continue
				}
				if ctx.Err() != nil {
					return rows
				}
				figure, note, err := e.Run(ctx)
				if err != nil && ctx.Err() != nil {
					return rows // it did not fail: it was ended
				}
				said := rows[i].Results[j].take(figure, note, err, c.Unit)
				fmt.Fprintf(progress, "pass %d of %d: %s, %s: %s\n", pass+1, passes, c.Name, e.Name, said)
			}
		}
	}
	return rows
}

// begin returns rows without figures.
func begin(contests []Contest) (rows []Row) {
	for _, c := range contests {
		r := Row{Name: c.Name, Unit: c.Unit, More: c.More}
		for _, e := range c.Entrants {
			r.Results = append(r.Results, Result{Name: e.Name, Skip: e.Skip})
		}
		rows = append(rows, r)
	}
	return rows
}

// take adds what a pass gave, and says it in words.
func (r *Result) take(figure float64, note string, err error, unit string) string {
	if err != nil {
		r.Failed++
		if text := strings.Join(strings.Fields(err.Error()), " "); !slices.Contains(r.Errors, text) {
			r.Errors = append(r.Errors, text)
		}
		return err.Error()
	}
	at, _ := slices.BinarySearchFunc(r.Figures, figure, cmp.Compare)
	r.Figures = slices.Insert(r.Figures, at, figure)
	r.Note = note
	return strings.TrimSuffix(fmt.Sprintf("%s %s; %s", Number(figure), unit, note), "; ")
}
