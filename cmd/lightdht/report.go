package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/export"
	"github.com/urfave/cli/v2"
)

// report is what statistics come to.
type report struct {
	what     string // "ids": of which statistics
	network  string // "": not known
	ended    string // why it rests on less than was asked for; "": it does not
	about    []fact
	sections []section
	object   any // of JSON, in the place of facts and findings; nil: those
}

// fact is what must be known of the data to judge what was found: where it comes
// from, how much of it counts, what was left out.
type fact struct{ name, text string }

// section is findings that stand in one table.
type section struct {
	title string // for people
	note  string // how to read it; "": nothing to say
	rows  []finding
}

// tell adds a fact.
func (r *report) tell(name, format string, args ...any) {
	r.about = append(r.about, fact{name, fmt.Sprintf(format, args...)})
}

// facts returns the facts by name, those of one name together.
func (r *report) facts() map[string]string {
	facts := map[string]string{}
	for _, f := range r.about {
		if was, told := facts[f.name]; told {
			f.text = was + "; " + f.text
		}
		facts[f.name] = f.text
	}
	return facts
}

// add adds a section, if there is anything in it.
func (r *report) add(title, note string, rows ...finding) {
	if len(rows) > 0 {
		r.sections = append(r.sections, section{title, note, rows})
	}
}

// findings returns those of all sections.
func (r *report) findings() (all []finding) {
	for _, s := range r.sections {
		all = append(all, s.rows...)
	}
	return all
}

// The formats of a report, of which some are those of exports.
const (
	reportText     = export.TextLines
	reportMarkdown = export.Format("markdown")
)

// reporting is how and where to a report is written.
type reporting struct {
	format export.Format
	out    place
}

// readReporting reads the flags that say so, before anything is measured.
func readReporting(c *cli.Context) (*reporting, error) {
	w := &reporting{out: place{name: c.String("output")}}
	switch {
	case c.IsSet("output") && w.out.name == "":
		return nil, usagef("--output: want the name of a file, or - for stdout")
	case w.out.name == "-":
		w.out.name = ""
	}
	name := c.String("format")
	if !c.IsSet("format") {
		name = strings.TrimPrefix(orText(export.Ending(w.out.name), ".text"), ".")
	}
	switch name {
	case "text", "txt":
		w.format = reportText
	case "markdown", "md":
		w.format = reportMarkdown
	case "csv":
		w.format = export.CSV
	case "ndjson", "jsonl":
		w.format = export.NDJSON
	case "json":
		w.format = export.JSON
	default:
		if c.IsSet("format") {
			return nil, usagef("--format %q: want text, markdown, csv, ndjson or json", name)
		}
		return nil, usagef("-o %s: .%s tells no format: want .txt, .md, .csv, .ndjson or .json, with .gz or .zst after it or not; or name it with --format",
			w.out.name, name)
	}
	return w, w.out.find(c.App.Writer, w.format)
}

// write writes a report of data, nil when it was measured just now.
func (w *reporting) write(c *cli.Context, r *report, d *data) error {
	if d != nil {
		if d.ctx.Err() != nil {
			return errUnwritten
		}
		if err := w.out.spares(d.inputs()); err != nil {
			return err
		}
		d.tellLeft(r)
	}
	o := &dumpFile{place: &w.out}
	if err := o.open(c.App.Writer, w.format); err != nil {
		return err
	}
	o.Writer = unwritten{}
	if err := o.end(o.named(w.render(o.to, c.App.ErrWriter, r))); err != nil {
		return w.out.left(err)
	}
	return w.describe(r, d)
}

// unwritten is the writer of rows of a file that is written otherwise.
type unwritten struct{}

func (unwritten) Write(*export.Batch) error { return errors.New("no rows are written here") }
func (unwritten) Close() error              { return nil }

// render writes a report in its format. Facts that have no place in it go to
// stderr.
func (w *reporting) render(to, stderr io.Writer, r *report) error {
	switch w.format {
	case reportText, reportMarkdown:
		_, err := io.WriteString(to, r.page(w.format == reportMarkdown))
		return err
	case export.JSON:
		return r.writeJSON(to)
	}
	for _, f := range r.about {
		fmt.Fprintf(stderr, "%s: %s\n", f.name, f.shown())
	}
	rows, err := export.NewWriter(to, w.format, findingSchema, export.Options{})
	if err != nil {
		return err
	}
	b := findingSchema.NewBatch()
	for _, f := range r.findings() {
		if f.addTo(b); b.Full() {
			if err := rows.Write(b); err != nil {
				return err
			}
			b = findingSchema.NewBatch()
		}
	}
	if err := rows.Write(b); err != nil {
		return err
	}
	return rows.Close()
}

// writeJSON writes one object.
func (r *report) writeJSON(to io.Writer) error {
	object := r.object
	if object == nil {
		rows := []map[string]any{}
		for _, f := range r.findings() {
			rows = append(rows, f.object())
		}
		object = map[string]any{"statistics": r.what, "about": r.facts(), "findings": rows}
	}
	e := json.NewEncoder(to)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(object)
}

// object returns f as JSON has it: with null for what is absent.
func (f *finding) object() map[string]any {
	out := map[string]any{}
	for i, v := range f.values() {
		name := findingSchema[i].Name
		out[name] = v
		switch v := v.(type) {
		case string:
			if v == "" {
				out[name] = nil
			}
		case float64:
			if !isNumber(v) {
				out[name] = nil
			}
		}
	}
	return out
}

// describe writes the manifest of a file.
func (w *reporting) describe(r *report, d *data) error {
	if w.out.name == "" || w.out.special {
		return nil
	}
	m := export.Manifest{
		Tool: dataset.ThisTool("lightdht", version), What: export.What("stats " + r.what), Form: w.format,
		Rows: int64(len(r.findings())), Filter: r.facts(),
	}
	m.Describe(findingSchema, nil)
	if d != nil {
		d.describe(&m)
	}
	if sum := w.out.sum; sum != nil {
		m.Bytes, m.SHA256 = sum.bytes, sum.hex()
	}
	if err := m.Write(w.out.name); err != nil {
		return fmt.Errorf("%w: %s is whole, and has no manifest", err, w.out.name)
	}
	return nil
}
