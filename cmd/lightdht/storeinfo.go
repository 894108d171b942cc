package main

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/urfave/cli/v2"
)

// runColumns are the columns of a run.
var runColumns = []string{
	"run", "network", "run_state", "command", "began", "ended", "tallies", "sightings", "queries", "visits", "lookups", "estimates",
	"endpoints", "drops", "file_bytes", "program", "error",
}

// storeInfo prints what a store has: for people a table of its runs under what
// is to be said of it as a whole, else the table alone.
func storeInfo(c *cli.Context, args []string) error {
	out, err := newRows(c.App.Writer, c.String("format"), runColumns...)
	if err != nil {
		return err
	}
	store, err := theStore(c, args)
	if err != nil {
		return err
	}
	runs, err := store.Runs()
	if err != nil {
		return err
	}
	if c.String("format") == "text" {
		return showStore(c, store, runs)
	}
	for i := range runs {
		if err := out.add(runRow(store, &runs[i])...); err != nil {
			return err
		}
	}
	return out.close()
}

// showStore prints a store for people.
func showStore(c *cli.Context, store *dataset.Store, runs []dataset.RunInfo) error {
	w := tabwriter.NewWriter(c.App.Writer, 0, 8, 2, ' ', 0)
	fmt.Fprintf(w, "store\t%s\nnetwork\t%s\ncreated\t%s\nsize\t%s bytes\nruns\t%s\n", store.Dir(), store.Network(),
		shortTime(store.Created()), grouped(folderBytes(store.Dir())), statesOf(runs))
	if err := w.Flush(); err != nil || len(runs) == 0 {
		return err
	}
	w.Init(c.App.Writer, 0, 8, 2, ' ', 0)
	fmt.Fprint(w, "\nrun\tstate\tcommand\tbegan\ttook\tcontacts")
	for _, kind := range record.Kinds {
		fmt.Fprintf(w, "\t%s", kind)
	}
	fmt.Fprintln(w, "\tdrops")
	for i := range runs {
		fmt.Fprintln(w, strings.Join(runLine(&runs[i]), "\t"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for i := range runs {
		if why := runTrouble(&runs[i]); why != "" {
			if _, err := fmt.Fprintf(c.App.Writer, "%s: %s\n", runs[i].ID, why); err != nil {
				return err
			}
		}
	}
	return nil
}

// The states of a run that is not read from its manifest alone.
const (
	stateDied       = "died"       // it did not end, and nobody put it in order yet
	stateUnreadable = "unreadable" // it has no manifest that can be read
)

// runState says how a run is.
func runState(r *dataset.RunInfo) string {
	switch {
	case r.Live:
		return string(dataset.Running)
	case r.Manifest == nil:
		return stateUnreadable
	case r.Manifest.State == dataset.Running:
		return stateDied
	}
	return string(r.Manifest.State)
}

// statesOf counts runs by how they are.
func statesOf(runs []dataset.RunInfo) string {
	count := map[string]int{}
	for i := range runs {
		count[runState(&runs[i])]++
	}
	var parts []string
	for _, state := range []string{string(dataset.Running), string(dataset.Ended), string(dataset.Stopped), string(dataset.Crashed), stateDied, stateUnreadable} {
		if n := count[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	if len(parts) == 0 {
		return "0"
	}
	return fmt.Sprintf("%d: %s", len(runs), strings.Join(parts, ", "))
}

// runTrouble says what is wrong with a run in one line; "" when nothing is.
func runTrouble(r *dataset.RunInfo) string {
	switch {
	case r.Err != nil:
		return oneLine(r.Err)
	case r.Manifest != nil:
		return strings.Join(strings.Fields(r.Manifest.Error), " ")
	}
	return ""
}

// runLine returns a run as a line for people.
func runLine(r *dataset.RunInfo) []string {
	line := []string{r.ID.String(), runState(r)}
	m := r.Manifest
	if m == nil {
		return append(line, "", shortTime(r.ID.Time()))
	}
	took := ""
	if end := runEnd(r); !end.IsZero() {
		took = round(end.Sub(m.Start)).String()
	}
	line = append(line, m.Command, shortTime(m.Start), took)
	for _, n := range runCounts(m) {
		if n == nil {
			line = append(line, "")
		} else {
			line = append(line, grouped(int64(n.(uint64))))
		}
	}
	return line
}

// runCounts returns how many contacts, rows of each kind and drops a run has, nil
// for what its manifest does not know: one that was not brought up to date since the
// run began has no drops, and rows only when they were counted after its program
// died.
func runCounts(m *dataset.Manifest) []any {
	counts := make([]any, len(record.Kinds)+2)
	if rowsKnown(m) {
		counts[0] = m.Contacts()
		for i, kind := range record.Kinds {
			counts[i+1] = m.Rows[kind.String()]
		}
	}
	if len(m.Drops) > 0 {
		counts[len(counts)-1] = runDrops(m)
	}
	return counts
}

// rowsKnown reports whether a manifest knows which rows and files its run has.
func rowsKnown(m *dataset.Manifest) bool {
	return len(m.Rows) > 0 || m.State != dataset.Running && m.State != ""
}

// runEnd is when a run ended; now while it goes on, zero when that is not known.
func runEnd(r *dataset.RunInfo) time.Time {
	if r.Live {
		return time.Now()
	}
	return r.Manifest.End
}

// runDrops returns how much a run dropped, of anything.
func runDrops(m *dataset.Manifest) (n uint64) {
	for _, v := range m.Drops {
		n += v
	}
	return n
}

// runRow returns the columns of a run.
func runRow(store *dataset.Store, r *dataset.RunInfo) []any {
	row := []any{r.ID, store.Network(), runState(r)}
	m := r.Manifest
	if m == nil {
		m = &dataset.Manifest{Start: r.ID.Time()}
	}
	row = append(row, text(m.Command), stamp(m.Start), stamp(m.End))
	row = append(row, runCounts(m)...)
	program := strings.TrimSpace(m.Tool.Name + " " + m.Tool.Version + " " + m.Tool.Commit)
	return append(row, fileBytes(m), text(program), text(runTrouble(r)))
}

// fileBytes returns how many bytes the complete files of a run have; nil when that
// is not known.
func fileBytes(m *dataset.Manifest) any {
	if !rowsKnown(m) {
		return nil
	}
	bytes := int64(0)
	for _, f := range m.Files {
		bytes += f.Bytes
	}
	return bytes
}

// stamp returns t for a row, nil for never.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(queryTime)
}

// shortTime returns t for people.
func shortTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// folderBytes returns how many bytes the files of a folder have.
func folderBytes(dir string) (n int64) {
	filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			if info, err := e.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil // what vanishes meanwhile has no size
	})
	return n
}
