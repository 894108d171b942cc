package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/export"
	"github.com/urfave/cli/v2"
)

// data is what statistics are made of: rows of a store, or of a file that was
// exported from one.
type data struct {
	file     string           // "": a store
	manifest *export.Manifest // that stands beside the file; nil: none does
	store    *dataset.Store

	source   export.Source     // which rows count
	chosen   map[string]string // the flags that say so
	mmdb     []string
	say      io.Writer
	ctx      context.Context // ends the reading
	problems []string
	partial  bool // not all of it could be read
	odd      int  // rows of a file left out, since they tell nothing that can be
}

// openData opens what the arguments of a command name, and reads which of it
// counts. It is closed with close.
func openData(c *cli.Context) (*data, error) {
	file, err := onlyFile(c)
	if err != nil {
		return nil, err
	}
	return openDataFile(c, file)
}

// openDataFile is openData of a file that is named otherwise; "": of a store.
func openDataFile(c *cli.Context, file string) (*data, error) {
	var err error
	d := &data{file: file, chosen: map[string]string{}, say: c.App.ErrWriter, ctx: c.Context, mmdb: c.StringSlice("mmdb")}
	if d.file != "" {
		err = d.openFile(c)
	} else {
		err = d.openStore(c)
	}
	if err != nil {
		return nil, err
	}
	if len(d.mmdb) > 0 {
		if d.source.Geo, err = export.OpenGeo(d.mmdb...); err != nil {
			return nil, fmt.Errorf("--mmdb: %w", err)
		}
	}
	return d, nil
}

// reportData writes the report that make makes of the data that a command's arguments
// name. What can be asked wrongly is refused before anything is read.
func reportData(c *cli.Context, make func(*data) (*report, error)) error {
	w, err := readReporting(c)
	if err != nil {
		return err
	}
	d, err := openData(c)
	if err != nil {
		return err
	}
	defer d.close()
	r, err := make(d)
	if err != nil {
		return d.about(err)
	}
	if err := w.write(c, r, d); err != nil {
		return err
	}
	return d.whether()
}

// about says of an error where the data is from, unless it says so itself.
func (d *data) about(err error) error {
	name := d.name() + ": "
	if text := err.Error(); strings.HasPrefix(text, d.name()) {
		for strings.HasPrefix(text, name+d.name()) {
			text = strings.TrimPrefix(text, name)
		}
		return renamed{err, text}
	}
	return fmt.Errorf("%s%w", name, err)
}

func (d *data) close() { d.source.Geo.Close() }

// inputs returns the files that are read.
func (d *data) inputs() []string {
	if d.file == "" {
		return d.mmdb
	}
	return append([]string{d.file, d.file + export.ManifestEnding}, d.mmdb...)
}

func (d *data) openStore(c *cli.Context) error {
	store, err := storeToRead(c)
	if errors.Is(err, dataset.ErrNoStore) {
		return fmt.Errorf("%w: lightdht node fills one, or name a file that lightdht dump wrote", err)
	} else if err != nil {
		return adviseOwner(err)
	}
	d.store = store
	store.Problem = func(err error) {
		d.partial = d.partial || !errors.Is(err, dataset.ErrTorn)
		if !slices.Contains(d.problems, err.Error()) { // what is read twice has each twice
			d.problems = append(d.problems, err.Error())
			fmt.Fprintf(d.say, "%s\n", oneLine(adviseOwner(err)))
		}
	}
	if err := d.readFilter(c); err != nil {
		return err
	}
	runs, err := store.Runs()
	if err == nil {
		d.source.Filter.Runs, err = pickRuns(runs, c.StringSlice("run"))
	}
	if err != nil {
		return adviseOwner(fmt.Errorf("%s: %w", store.Dir(), err))
	}
	return nil
}

// readFilter reads the flags that choose rows, but for runs.
func (d *data) readFilter(c *cli.Context) (err error) {
	for _, name := range []string{"state", "family", "prefix", "since", "run"} {
		if c.IsSet(name) {
			if d.chosen[name] = c.String(name); name == "run" {
				d.chosen[name] = strings.Join(c.StringSlice(name), ",")
			}
		}
	}
	d.source.Filter, err = readFilter(c)
	return err
}

// pickRuns returns the runs that --run names; nil when it names none.
func pickRuns(runs []dataset.RunInfo, names []string) (picked []dataset.RunID, err error) {
	for _, name := range names {
		id, err := findRun(runs, name)
		if err != nil {
			return nil, err
		}
		picked = append(picked, id)
	}
	return picked, nil
}

// name says where the rows come from.
func (d *data) name() string {
	if d.store != nil {
		return d.store.Dir()
	}
	return d.file
}

// rows is how many rows a file has by its manifest; of a store, or without one, it
// is not known, and some.
func (d *data) rows() int64 {
	if d.manifest == nil {
		return 1
	}
	return d.manifest.Rows
}

// network names the network; "" when that is not known.
func (d *data) network() string {
	switch {
	case d.store != nil:
		return d.store.Network()
	case d.manifest != nil:
		return d.manifest.Network
	}
	return ""
}

// shared reports whether IDs and addresses are pseudonyms.
func (d *data) shared() bool { return d.manifest != nil && d.manifest.Share != nil }

// table opens the rows of one kind. They end when somebody interrupts the reading.
func (d *data) table(what export.What) (export.Table, error) {
	t, err := d.opened(what)
	if err != nil {
		return t, err
	}
	rows := t.Rows
	t.Rows = func(yield func(*export.Batch, error) bool) {
		for b, err := range rows {
			if err == nil && d.ctx.Err() != nil {
				b, err = nil, errUnwritten
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
	return t, nil
}

func (d *data) opened(what export.What) (export.Table, error) {
	if d.store != nil {
		t, err := d.source.Open(d.store, what)
		if err != nil {
			err = fmt.Errorf("%s: %w", d.store.Dir(), err)
		}
		return t, err
	}
	if d.manifest != nil && d.manifest.What != what {
		return export.Table{}, fmt.Errorf("%s holds %s: name a file of %s, which lightdht dump --what %s writes", d.file, d.manifest.What, what, what)
	}
	t, err := export.Read(d.file)
	if err != nil {
		return t, err
	}
	if d.rows() == 0 {
		return t, nil // in some formats it has no columns either
	}
	return t, d.whole(t.Schema, what)
}

// whole reports what a file lacks to be of rows of one kind: the columns that no
// such row is without.
func (d *data) whole(s export.Schema, what export.What) error {
	needed := map[export.What][]string{
		export.Contacts: {"id", "ip", "port"}, export.Lookups: {"lookup", "target", "purpose", "k", "width", "id", "family"},
		export.Queries: {"time", "method"},
	}[what]
	for _, name := range needed {
		if s.Index(name) < 0 {
			return fmt.Errorf("%s has no column %s: name a file of %s, which lightdht dump --what %s writes", d.file, name, what, what)
		}
	}
	return nil
}

// lacks returns which of the columns rows do not have: a file may have been dumped
// with some columns alone.
func (d *data) lacks(what export.What, names ...string) (lacking []string, err error) {
	if d.store != nil {
		return nil, nil
	}
	t, err := d.table(what)
	if err != nil {
		return nil, err
	}
	for range t.Rows { // which closes the file
		break
	}
	for _, name := range names {
		if t.Schema.Index(name) < 0 {
			lacking = append(lacking, name)
		}
	}
	return lacking, nil
}

// describe fills in what a manifest says of where rows come from.
func (d *data) describe(m *export.Manifest) {
	m.Network, m.Problems = d.network(), d.problems
	for name, value := range d.chosen {
		m.Filter[name] = value
	}
	switch {
	case d.store != nil:
		if runs, err := d.store.Runs(); err == nil {
			m.About(runs, &d.source.Filter, nil)
		}
	case d.manifest != nil:
		m.Runs = slices.Clone(d.manifest.Runs)
		m.Share = d.manifest.Share
	}
}

// tell says in a report where rows come from.
func (d *data) tell(r *report) {
	r.tell("data", "%s", d.name())
	if d.network() != "" {
		r.tell("network", "%s", d.network())
	}
	if d.shared() {
		r.tell("shared", "IDs and addresses are pseudonyms, which keep common prefixes")
	}
	var flags []string
	for _, name := range []string{"state", "family", "prefix", "since", "run"} {
		if v := d.chosen[name]; v != "" {
			flags = append(flags, "--"+name+" "+v)
		}
	}
	if len(flags) > 0 {
		r.tell("chosen", "%s", strings.Join(flags, " "))
	}
}

// tellLeft says in a report what could not be read.
func (d *data) tellLeft(r *report) {
	if d.odd > 0 {
		r.tell("left out", "%s of %s without an ID, an address or a value that can be", some(d.odd, "row"), d.name())
	}
	if d.partial {
		r.tell("left out", "what could not be read of %s: %s", d.name(), some(len(d.problems), "problem"))
	}
}

// whether returns the error that not all of the data could be read, after what
// there is was reported.
func (d *data) whether() error {
	if d.partial {
		return fmt.Errorf("%s: not all of it could be read: see above", d.name())
	}
	return nil
}
