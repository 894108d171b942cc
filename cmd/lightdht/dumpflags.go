package main

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/export"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/pseudonym"
	"github.com/lightdht/lightdht/table"
	"github.com/urfave/cli/v2"
)

// dumping is a dump that is being made.
type dumping struct {
	what    export.What
	format  export.Format
	source  export.Source
	options export.Options
	key     *pseudonym.Key // of --share; nil: none
	live    bool

	out    place
	chosen map[string]string

	seen     iter.Seq[table.Contact] // what is written when there is no store
	rows     int64
	problems []string
	partial  bool // not all of the store could be read
}

// readDump reads the flags of dump.
func readDump(c *cli.Context) (d *dumping, err error) {
	d = &dumping{live: c.Bool("live"), out: place{name: c.String("output")}, chosen: map[string]string{}}
	switch {
	case c.IsSet("output") && d.out.name == "":
		return nil, usagef("--output: want the name of a file, or - for stdout")
	case d.out.name == "-":
		d.out.name = ""
	}
	if err := d.readLive(c); err != nil {
		return nil, err
	}
	if err := d.readKind(c); err != nil {
		return nil, err
	}
	switch times := c.String("times"); times {
	case "rfc3339":
	case "us":
		d.options.Micros = true
		d.chosen["times"] = times
	default:
		return nil, usagef("--times %q: want rfc3339 or us", times)
	}
	d.options.Table = string(d.what)
	if columns := c.String("columns"); columns != "" {
		d.source.Columns = strings.Split(columns, ",")
	}
	d.source.PerRun = c.Bool("per-run")
	d.note(c)
	if err := d.readKey(c); err != nil {
		return nil, err
	}
	return d, d.openGeo(c)
}

// note keeps for the manifest which flags chose rows and columns.
func (d *dumping) note(c *cli.Context) {
	for _, name := range []string{"state", "family", "prefix", "since", "columns"} {
		if c.IsSet(name) {
			d.chosen[name] = c.String(name)
		}
	}
	if d.source.PerRun {
		d.chosen["per-run"] = "true"
	}
}

// openGeo opens the databases of --mmdb.
func (d *dumping) openGeo(c *cli.Context) (err error) {
	files := c.StringSlice("mmdb")
	switch {
	case len(files) == 0:
		return nil
	case export.SchemaOf(d.what).Index("country") < 0:
		return fmt.Errorf("--mmdb adds nothing to %s: leave it out", d.what)
	}
	if d.source.Geo, err = export.OpenGeo(files...); err != nil {
		return fmt.Errorf("--mmdb: %w", err)
	}
	return nil
}

// joinFlags are those that only make sense when the network is joined.
var joinFlags = []string{
	"listen", "bootstrap", "table", "id", "read-only", "testnet", "seed", "timeout", "secure-only", "opt-out", "for",
	"no-store", "keep-sightings", "raw", "store-limit", "store-min-free", "store-flush", "store-sync",
}

// readLive holds flags that only make sense when the network is joined to that.
func (d *dumping) readLive(c *cli.Context) error {
	if d.live {
		return nil
	}
	for _, name := range joinFlags {
		if c.IsSet(name) {
			return usagef("--%s is about looking around: add --live, or leave it out to dump the store", name)
		}
	}
	return nil
}

// readKind reads what is to be written in which form.
func (d *dumping) readKind(c *cli.Context) (err error) {
	if d.format, err = d.formatOf(c); err != nil {
		return err
	}
	graph := d.format == export.GraphML || d.format == export.EdgeList
	d.what = export.What(c.String("what"))
	switch {
	case d.what == "" && graph:
		d.what = export.Edges
	case d.what == "":
		d.what = export.Contacts
	case !slices.Contains(export.Whats, d.what):
		return usagef("--what %q: want %s", d.what, join(export.Whats))
	}
	switch {
	case graph && d.what != export.Edges:
		return usagef("--format %s holds edges: leave --what %s out, or name another format", d.format, d.what)
	case graph && c.IsSet("columns"):
		return usagef("--format %s has its own columns: leave --columns out", d.format)
	case c.IsSet("per-run") && d.what != export.Contacts:
		return usagef("--per-run is about contacts: rows of %s are of one run each", d.what)
	case d.live && c.Bool("no-store") && d.what != export.Contacts:
		return usagef("--no-store keeps contacts alone: leave it or --what %s out", d.what)
	case d.format == export.SQLite && d.out.name == "":
		return usagef("--format sqlite needs a file of its own: name it with -o FILE")
	case d.format == export.Parquet && d.out.name == "" && onTerminal(c):
		return usagef("parquet is nothing to look at: name a file with -o FILE")
	case (d.format == export.Parquet || d.format == export.SQLite) && compressed(d.out.name):
		return usagef("-o %s: %s is not compressed as a whole: leave %s out", d.out.name, d.format, filepath.Ext(d.out.name))
	}
	return nil
}

func join[T ~string](all []T) string {
	names := make([]string, len(all))
	for i, one := range all {
		names[i] = string(one)
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

func compressed(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".gz" || ext == ".zst"
}

// formatOf returns the format: that of --format, or the one by which FILE ends.
func (d *dumping) formatOf(c *cli.Context) (export.Format, error) {
	if c.IsSet("format") {
		f, err := export.ParseFormat(c.String("format"))
		if err != nil {
			return "", usagef("--format: %w", err)
		}
		return f, nil
	}
	f, ok := export.FormatOf(d.out.name)
	switch end := export.Ending(d.out.name); {
	case ok:
		return f, nil
	case end != "":
		return "", usagef("-o %s: %s tells no format: want %s, with .gz or .zst after it or not; or name it with --format",
			d.out.name, end, join(export.Endings()))
	}
	return export.CSV, nil
}

// readFilter reads which rows are to be written, but for runs, which need the
// store.
func (d *dumping) readFilter(c *cli.Context) (err error) {
	if err := d.applies(c); err != nil {
		return err
	}
	d.source.Filter, err = readFilter(c)
	return err
}

// readFilter reads the flags that choose rows, but for runs.
func readFilter(c *cli.Context) (f dataset.Filter, err error) {
	states := map[string]table.State{"good": table.StateGood, "questionable": table.StateQuestionable, "bad": table.StateBad}
	if c.IsSet("state") {
		for _, name := range strings.Split(c.String("state"), ",") {
			if states[name] == 0 {
				return f, fmt.Errorf("--state %q: want good, questionable or bad, or several between commas", c.String("state"))
			}
			f.States |= states[name]
		}
	}
	switch family := c.String("family"); {
	case family == "ipv4":
		f.Family = kad.IPv4
	case family == "ipv6":
		f.Family = kad.IPv6
	case c.IsSet("family"):
		return f, fmt.Errorf("--family %q: want ipv4 or ipv6", family)
	}
	if f.Prefix, err = kad.ParsePrefix(c.String("prefix")); err != nil {
		return f, fmt.Errorf("--prefix: %w", err)
	}
	if c.IsSet("since") {
		f.Since, err = parseSince(c.String("since"), time.Now())
	}
	return f, err
}

// applies refuses filters that would choose nothing among rows of this kind.
func (d *dumping) applies(c *cli.Context) error {
	switch {
	case c.IsSet("state") && d.what != export.Contacts:
		return fmt.Errorf("--state is about contacts: leave it out with --what %s", d.what)
	case c.IsSet("prefix") && (d.what == export.Endpoints || d.what == export.Estimates):
		return fmt.Errorf("--prefix is about IDs, and %s have none: leave it out with --what %s", d.what, d.what)
	case c.IsSet("family") && d.what == export.Lookups:
		return fmt.Errorf("--family is not of a lookup, which may go through both: leave it out with --what %s, and look at the column family", d.what)
	}
	return nil
}

// parseSince reads a point in time: RFC 3339, a date, or how long ago.
func parseSince(s string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(s); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("--since %q: want a time such as 2026-11-20T12:00:00Z, a date, or how long ago, such as 36h", s)
}

// readKey reads the key of --share.
func (d *dumping) readKey(c *cli.Context) error {
	name := c.String("share")
	if !c.IsSet("share") {
		return nil
	}
	b, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("--share: %w: make one with openssl rand -hex 32 > %s, and keep it secret", err, orText(name, "KEYFILE"))
	} else if err != nil {
		return fmt.Errorf("--share: %w", err)
	}
	if d.key, err = pseudonym.ParseKey(b); err != nil {
		return fmt.Errorf("--share %s: %w", name, err)
	}
	d.source.Key = d.key
	return nil
}

// pickRuns reads --run, for which the runs of the store must be known.
func (d *dumping) pickRuns(c *cli.Context, store *dataset.Store) error {
	if len(c.StringSlice("run")) == 0 {
		return nil
	}
	runs, err := store.Runs()
	if err == nil {
		d.source.Filter.Runs, err = pickRuns(runs, c.StringSlice("run"))
	}
	return err
}

// findRun returns the run that a name means: its ID, the beginning of it, or
// last.
func findRun(runs []dataset.RunInfo, name string) (id dataset.RunID, err error) {
	if name == "last" && len(runs) > 0 {
		return runs[len(runs)-1].ID, nil
	}
	found := 0
	for _, r := range runs {
		if name != "" && strings.HasPrefix(r.ID.String(), strings.ToLower(name)) {
			id = r.ID
			found++
		}
	}
	switch found {
	case 0:
		return id, fmt.Errorf("--run %q: there is no such run: lightdht store info lists them", name)
	case 1:
		return id, nil
	}
	return id, fmt.Errorf("--run %q: %d runs begin so: give more of it", name, found)
}

// passing yields the contacts that pass the filter, for those that come from a
// table.
func (d *dumping) passing(contacts iter.Seq[table.Contact]) iter.Seq[table.Contact] {
	f, now := d.source.Filter, time.Now()
	return func(yield func(table.Contact) bool) {
		for c := range contacts {
			switch {
			case f.States != 0 && c.State(now)&f.States == 0:
			case f.Family != 0 && kad.FamilyOf(c.Addr.Addr()) != f.Family:
			case f.Prefix.Bits() > 0 && !f.Prefix.Contains(c.ID):
			case !f.Since.IsZero() && c.LastSeen.Before(f.Since):
			case !yield(c):
				return
			}
		}
	}
}
