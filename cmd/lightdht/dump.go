package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/export"
	"github.com/urfave/cli/v2"
)

func dumpCommand() *cli.Command {
	return &cli.Command{
		Name:  "dump",
		Usage: "hand over what the store has, in the form that the next program reads",
		Description: "Writes the contacts of the store, or what --what says, to stdout or to the file of -o, beside which\n" +
			"FILE.manifest.json then tells where it comes from. With --live it joins the network first, looks up random\n" +
			"targets and pings who is named for as long as --for says, then writes what it met; Ctrl-C ends the looking\n" +
			"around, not the writing. --share puts pseudonyms in the place of addresses, IDs and infohashes.",
		Flags:  dumpFlags(),
		Action: dump,
	}
}

func dumpFlags() []cli.Flag {
	return append(commonFlags(),
		&cli.StringFlag{Name: "what", Usage: "`KIND` of rows: contacts, sightings, queries, lookups, visits, edges, estimates or endpoints", DefaultText: "contacts; edges for a graph"},
		&cli.StringFlag{Name: "format", Usage: "`FORMAT`: csv, ndjson, json, parquet, sqlite, graphml, edgelist or text", DefaultText: "as FILE ends; csv"},
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE`, compressed when it ends in .gz or .zst; -: stdout"},
		&cli.StringFlag{Name: "columns", Usage: "only these `COLUMNS`, in this order, between commas"},
		&cli.StringFlag{Name: "times", Usage: "`FORM` of times: rfc3339, or us, microseconds since 1970", Value: "rfc3339"},

		&cli.StringFlag{Name: "state", Usage: "only contacts in these `STATES`: good, questionable, bad, between commas"},
		&cli.StringFlag{Name: "family", Usage: "only `FAMILY`: ipv4 or ipv6"},
		&cli.StringFlag{Name: "prefix", Usage: "only nodes whose ID begins with `PREFIX`: hex digits, or hex/bits"},
		&cli.StringSliceFlag{Name: "run", Usage: "only of `RUN`: an ID or the beginning of one, or last (repeatable)"},
		&cli.StringFlag{Name: "since", Usage: "only of `TIME` and later, contacts last seen then: RFC 3339, a date, or how long ago (36h)"},
		&cli.BoolFlag{Name: "per-run", Usage: "a row for each run that saw a contact, not one for all"},

		&cli.StringSliceFlag{Name: "mmdb", Usage: "add country, asn and as_org from the MaxMind database `FILE` (repeatable)"},
		&cli.StringFlag{Name: "share", Usage: "write pseudonyms, under the key in `KEYFILE`"},

		&cli.BoolFlag{Name: "live", Usage: "join the network and look around first; write only what was met"},
		&cli.DurationFlag{Name: "for", Usage: "with --live: how long to look around", Value: 30 * time.Second},
	)
}

func dump(c *cli.Context) error {
	if c.NArg() > 0 {
		return usagef("dump takes no arguments, and was given %q: see lightdht dump --help", c.Args().First())
	}
	d, err := readDump(c)
	if err != nil {
		return err
	}
	defer d.source.Geo.Close()
	if err := d.out.find(c.App.Writer, d.format); err != nil {
		return err
	}
	if err := d.out.spares(append(c.StringSlice("mmdb"), c.String("share"))); err != nil {
		return err
	}
	if d.live {
		if err := d.readFilter(c); err != nil {
			return err
		}
		return d.out.left(d.lookThenWrite(c))
	}
	return d.out.left(d.writeStore(c))
}

// writeStore writes what a store has.
func (d *dumping) writeStore(c *cli.Context) error {
	store, err := storeToRead(c)
	if errors.Is(err, dataset.ErrNoStore) {
		return fmt.Errorf("%w: lightdht node fills one, and dump --live looks around now", err)
	} else if err != nil {
		return adviseOwner(err)
	}
	store.Problem = func(err error) {
		d.problems = append(d.problems, err.Error())
		d.partial = d.partial || !errors.Is(err, dataset.ErrTorn)
		fmt.Fprintf(c.App.ErrWriter, "%s\n", oneLine(adviseOwner(err)))
	}
	if err := d.readFilter(c); err != nil {
		return fmt.Errorf("%s: %w", store.Dir(), err)
	}
	if err := d.pickRuns(c, store); err != nil {
		return adviseOwner(fmt.Errorf("%s: %w", store.Dir(), err))
	}
	return d.write(c.Context, c, store)
}

// lookThenWrite looks around and writes what was met: the rows of its run, or
// with --no-store the contacts of its table.
func (d *dumping) lookThenWrite(c *cli.Context) (err error) {
	if c.Duration("for") <= 0 {
		return usagef("--for %s: want a time above zero, such as 30s", c.Duration("for"))
	}
	s, err := open(c, nil)
	if err != nil {
		return err
	}
	defer s.end(&err)
	if err := s.lookAround(c.Context, c.Duration("for")); err != nil {
		return advise(err)
	}
	ctx := context.WithoutCancel(c.Context) // the looking around may have been ended by Ctrl-C
	if s.run == nil {
		d.seen = s.node.Contacts()
		return d.write(ctx, c, nil)
	}
	if err := s.run.Flush(); err != nil {
		s.say("%s", oneLine(err))
	}
	d.source.Filter.Runs = []dataset.RunID{s.run.ID()}
	return d.write(ctx, c, s.run.Store())
}

// lookAround explores the network for d, or until ctx ends, and tells how far
// it is now and then.
func (s *session) lookAround(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	began := time.Now()
	pause := time.Second // between two words of progress; it grows to 5 s
	progress := time.NewTicker(pause)
	defer progress.Stop()
	end := make(chan error, 1)
	go func() { end <- s.node.Explore(ctx) }()
	for {
		select {
		case <-progress.C:
			s.say("%s: %s", time.Since(began).Round(time.Second), some(s.node.Len(), "contact"))
			pause = min(2*pause, 5*time.Second)
			progress.Reset(pause)
		case err := <-end:
			switch {
			case ctx.Err() != nil && s.node.Len() > 0:
				return nil // its time was over, or somebody pressed Ctrl-C: what there is gets written
			case err == nil:
				return lightdht.ErrNoNodes
			case errors.Is(err, context.DeadlineExceeded):
				return fmt.Errorf("nobody answered within %s: name another node with --bootstrap, or look longer with --for", d)
			}
			return err
		}
	}
}

// table returns what is to be written.
func (d *dumping) table(store *dataset.Store) (export.Table, error) {
	if store == nil {
		t, err := d.source.Seen(d.passing(d.seen))
		if err != nil {
			err = fmt.Errorf("--columns: %w", d.adviseColumns(err))
		}
		return t, err
	}
	t, err := d.source.Open(store, d.what)
	if err != nil {
		err = fmt.Errorf("%s: --columns: %w", store.Dir(), d.adviseColumns(err))
	}
	return t, err
}

// adviseColumns says instead of an error about columns that one of them needs a
// database, if that is so.
func (d *dumping) adviseColumns(err error) error {
	for _, name := range d.source.Columns {
		known := slices.ContainsFunc(export.SchemaOf(d.what), func(c export.Column) bool { return c.Name == name })
		if known && d.source.Geo == nil && export.AddsColumn(name) {
			return fmt.Errorf("column %q comes from a database of addresses: name one with --mmdb FILE", name)
		}
	}
	return err
}

// write writes the table to where it is to go. When ctx ends, what is written to
// stdout is complete up to there, and a file stays as it was.
func (d *dumping) write(ctx context.Context, c *cli.Context, store *dataset.Store) error {
	table, err := d.table(store)
	if err != nil {
		return err
	}
	out, err := d.create(c.App.Writer, table.Schema)
	if err != nil {
		return err
	}
	p := newProgress(c.App.ErrWriter, "dump", d.expected(store))
	err = table.Write(out, func(rows int) error {
		d.rows += int64(rows)
		p.add(rows)
		return ctx.Err()
	})
	p.end()
	if err := out.end(adviseOwner(err)); err != nil {
		return err
	}
	to := ""
	if d.out.name != "" {
		to = " to " + d.out.name
	}
	fmt.Fprintf(c.App.ErrWriter, "wrote %s%s\n", some(int(d.rows), d.noun()), to)
	if err := d.describe(table.Schema, store); err != nil || !d.partial {
		return err
	}
	return fmt.Errorf("%s: not all of it could be read: see above", store.Dir())
}

// noun is what a row is called.
func (d *dumping) noun() string {
	if d.what == export.Contacts {
		return "contact"
	}
	return "row"
}

// expected is about how many rows there are to come, when that can be told; else
// 0.
func (d *dumping) expected(store *dataset.Store) (rows int64) {
	f := d.source.Filter
	if store == nil || !f.Since.IsZero() || f.Prefix.Bits() > 0 || f.Family != 0 || f.States != 0 {
		return 0
	}
	runs, _ := store.Runs()
	for i := range runs {
		if m := runs[i].Manifest; m != nil && f.Picks(runs[i].ID) {
			rows += d.expectedOf(m)
		}
	}
	return rows
}

// expectedOf is about how many rows a run has.
func (d *dumping) expectedOf(m *dataset.Manifest) int64 {
	if d.what == export.Contacts || d.what == export.Sightings && !m.KeepSightings {
		return int64(m.Contacts())
	}
	return int64(m.Rows[string(d.what)])
}

// describe writes the manifest of a file.
func (d *dumping) describe(s export.Schema, store *dataset.Store) error {
	if d.out.name == "" || d.out.special {
		return nil
	}
	m := export.Manifest{
		Tool: dataset.ThisTool("lightdht", version), What: d.what, Form: d.format, Rows: d.rows,
		Filter: d.chosen, Problems: d.problems,
	}
	m.Describe(s, d.key)
	if store != nil {
		m.Network = store.Network()
		runs, err := store.Runs()
		if err != nil {
			return err
		}
		m.About(runs, &d.source.Filter, d.key)
	}
	if d.key != nil {
		d.veil(&m, store)
	}
	if sum := d.out.sum; sum != nil {
		m.Bytes, m.SHA256 = sum.bytes, sum.hex()
	}
	if err := m.Write(d.out.name); err != nil {
		return fmt.Errorf("%w: %s is whole, and has no manifest", err, d.out.name)
	}
	return nil
}

// veil changes what the manifest of shared data says of the prefix that IDs were
// chosen by, and of where the store is.
func (d *dumping) veil(m *export.Manifest, store *dataset.Store) {
	if p := d.source.Filter.Prefix; m.Filter["prefix"] != "" {
		m.Filter["prefix"] = d.key.ID(p.First()).Prefix(p.Bits()).String() // by which the pseudonyms can be chosen
	}
	for i, problem := range m.Problems {
		m.Problems[i] = strings.ReplaceAll(problem, filepath.Clean(store.Dir())+string(filepath.Separator), "")
	}
}
