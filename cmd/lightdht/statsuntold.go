package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/export"
)

// untold are the columns that a file does not have, which was dumped with some alone
// or made by others: what they would tell is not known, and is left out rather than
// told as 0 %.
type untold []string

func (l untold) has(column string) bool { return slices.Contains(l, column) }

// noColumn names columns that there are not.
func noColumn(columns ...string) string {
	if len(columns) == 1 {
		return "the file has no column " + columns[0]
	}
	last := len(columns) - 1
	return "the file has no columns " + strings.Join(columns[:last], ", ") + " and " + columns[last]
}

// toldBy are the sections of a census that a column is needed for.
var toldBy = map[string]string{
	"state": analysis.States, "client": analysis.Clients, "version": analysis.Versions, "beps": analysis.Extensions,
}

// lacksOfCensus returns the columns of a census that contacts do not have. Without
// those that flags choose by, it is an error.
func (d *data) lacksOfCensus() (untold, error) {
	found, err := d.lacks(export.Contacts, "state", "replies", "unanswered", "rtt_us", "client", "version", "beps", "last_seen", "lookup")
	if err != nil {
		return nil, d.about(err)
	}
	l := untold(found)
	switch {
	case d.rows() == 0: // which is told of as such
		return nil, nil
	case d.file != "" && !l.has("lookup"):
		return nil, d.ofLookups(export.Contacts)
	case l.has("state") && d.chosen["state"] != "":
		return nil, fmt.Errorf("%s: --state: %s", d.name(), noColumn("state"))
	case l.has("last_seen") && d.chosen["since"] != "":
		return nil, fmt.Errorf("%s: --since: %s", d.name(), noColumn("last_seen"))
	}
	return slices.DeleteFunc(l, func(column string) bool { return column == "last_seen" || column == "lookup" }), nil
}

// refuse returns an error when it is not known who answered, and that matters.
func (l untold) refuse(all bool) error {
	if l.has("replies") && !all {
		return fmt.Errorf("%s: who ever answered is not known; count all contacts with --all", noColumn("replies"))
	}
	return nil
}

// leaveOut leaves out of a census what cannot be told.
func (l untold) leaveOut(c *analysis.Census) {
	for _, column := range l {
		name, ok := toldBy[column]
		if !ok {
			continue
		}
		c.Sections = slices.DeleteFunc(c.Sections, func(s analysis.Section) bool { return s.Name == name })
		c.Over = slices.DeleteFunc(c.Over, func(o analysis.Concentration) bool { return o.Over == name })
	}
}

// tell says in a report what is not known.
func (l untold) tell(r *report, c *analysis.Census, fromStore bool) {
	for _, column := range l {
		what := toldBy[column]
		switch column {
		case "replies":
			what = "who answered"
		case "unanswered":
			what = "how many of those asked answered"
		case "rtt_us":
			what = "round trips"
		}
		r.tell("unknown", "%s: %s", noColumn(column), what)
	}
	if !located(c, analysis.Countries) && !located(c, analysis.Systems) {
		r.tell("unknown", "%s", whereText(fromStore))
	}
}

// lacksOfQueries returns the columns that queries do not have.
func (d *data) lacksOfQueries() (untold, error) {
	found, err := d.lacks(export.Queries, "read_only", "ip", "infohash", "querier_id", "client", "lookup")
	l := untold(found)
	switch {
	case err != nil:
		return nil, d.about(err)
	case d.rows() == 0: // which is told of as such
		return nil, nil
	case d.file != "" && !l.has("lookup"):
		return nil, d.ofLookups(export.Queries)
	case l.has("ip") && d.chosen["family"] != "":
		return nil, fmt.Errorf("%s: --family: %s", d.name(), noColumn("ip"))
	case l.has("querier_id") && d.chosen["prefix"] != "":
		return nil, fmt.Errorf("%s: --prefix: %s", d.name(), noColumn("querier_id"))
	}
	return slices.DeleteFunc(l, func(column string) bool { return column == "lookup" }), nil
}

// ofLookups is the error that a file has the steps of lookups, which other rows are
// wanted of: they have columns of the same names.
func (d *data) ofLookups(wanted export.What) error {
	return fmt.Errorf("%s has a column lookup, as files of lookups have: name a file of %s, which lightdht dump --what %s writes", d.file, wanted, wanted)
}

// tellQueries says in a report what is not known of queries.
func (l untold) tellQueries(r *report) {
	for _, column := range l {
		what := map[string]string{
			"read_only": "which were marked read-only", "infohash": "what was asked for", "querier_id": "who asked by ID", "client": "clients",
			"ip": "who asked by address, and families; so that no share of queries has an interval",
		}[column]
		r.tell("unknown", "%s: %s", noColumn(column), what)
	}
}

// whereText says how countries and systems would be known.
func whereText(fromStore bool) string {
	if fromStore {
		return "countries and autonomous systems: name a database of addresses with --mmdb"
	}
	return "countries and autonomous systems: the file has none, as when it is dumped without --mmdb"
}
