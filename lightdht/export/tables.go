package export

import (
	"fmt"
	"iter"
	"time"

	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/pseudonym"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/table"
)

// What is what a store has, by the name that commands and files use.
type What string

// What there is.
const (
	Contacts  What = "contacts"  // a row for each contact, what all runs saw of it
	Sightings What = "sightings" // what was seen of it by one run: each time, or counted
	Queries   What = "queries"   // a row for each query received
	Visits    What = "visits"    // a row for each query of ours
	Edges     What = "edges"     // a row for each node that was named in an answer to one
	Lookups   What = "lookups"   // a row for each node that a lookup found closest; one without, if it found none
	Estimates What = "estimates" // a row for each estimate
	Endpoints What = "endpoints" // a row for each address whose ID is unknown
)

// Whats are all of them.
var Whats = []What{Contacts, Sightings, Queries, Lookups, Visits, Edges, Estimates, Endpoints}

// Source says what of a store becomes a table.
type Source struct {
	Filter  dataset.Filter
	PerRun  bool     // of Contacts: a row for each run that saw one, with what that saw
	Columns []string // these; nil: all
	Geo     *Geo     // adds country, asn and as_org; nil: does not

	// Key says that the rows will be written with Share under this key: then they
	// come in an order that does not give the pseudonyms away. nil: they will not.
	Key *pseudonym.Key
}

// Open returns a table of a store's rows. Columns that there are not are an error.
func (s Source) Open(store *dataset.Store, what What) (Table, error) {
	t, f := newTexts(), s.Filter
	switch what {
	case Contacts:
		if s.PerRun {
			return open(s, contactFields(t, s.Geo), s.perRun(store, f))
		}
		return open(s, contactFields(t, s.Geo), s.contacts(store, f))
	case Sightings:
		return open(s, sightingFields(t, s.Geo), s.sightings(store, f))
	case Queries:
		return open(s, queryFields(t, s.Geo), rows[record.Query](store, record.KindQuery, f))
	case Visits:
		return open(s, visitFields(t, s.Geo), s.visits(store, f))
	case Edges:
		return open(s, edgeFields(t), s.named(store, f))
	case Lookups:
		return open(s, lookupFields(t), s.lookups(store, f))
	case Estimates:
		return open(s, estimateFields(t), rows[record.Estimate](store, record.KindEstimate, f))
	case Endpoints:
		return open(s, endpointFields(t, s.Geo), rows[record.Endpoint](store, record.KindEndpoint, f))
	}
	return Table{}, fmt.Errorf("a store has no %q", what)
}

// Seen returns a table of contacts that belong to no store, as they are now.
func (s Source) Seen(contacts iter.Seq[table.Contact]) (Table, error) {
	now := dataset.StampOf(time.Now())
	var seq iter.Seq2[*dataset.Contact, error] = func(yield func(*dataset.Contact, error) bool) {
		for c := range contacts {
			if !yield(&dataset.Contact{Tally: dataset.TallyOf(c), Judged: now}, nil) {
				return
			}
		}
	}
	if s.Key != nil {
		known := seq
		seq = disguised(s.Key, kad.Prefix{}, 0, nodeOf, func(kad.Prefix) iter.Seq2[*dataset.Contact, error] { return known })
	}
	return open(s, contactFields(newTexts(), s.Geo), seq)
}

func open[R any](s Source, fields []field[R], seq iter.Seq2[*R, error]) (Table, error) {
	picked, err := pick(fields, s.Columns)
	if err != nil {
		return Table{}, err
	}
	return tableOf(picked, seq), nil
}

// SchemaOf returns all columns of what a store has.
func SchemaOf(what What) Schema {
	t, geo := newTexts(), &Geo{}
	switch what {
	case Contacts:
		return headings(contactFields(t, geo))
	case Sightings:
		return headings(sightingFields(t, geo))
	case Queries:
		return headings(queryFields(t, geo))
	case Visits:
		return headings(visitFields(t, geo))
	case Edges:
		return headings(edgeFields(t))
	case Lookups:
		return headings(lookupFields(t))
	case Estimates:
		return headings(estimateFields(t))
	case Endpoints:
		return headings(endpointFields(t, geo))
	}
	return nil
}

// TypeOf returns the type of a column of any table; false when none has it.
func TypeOf(name string) (Type, bool) {
	t, ok := types[name]
	return t, ok
}

var types = func() map[string]Type {
	all := map[string]Type{}
	for _, what := range Whats {
		for _, c := range SchemaOf(what) {
			if was, ok := all[c.Name]; ok && was != c.Type {
				panic("column " + c.Name + " has two types")
			}
			all[c.Name] = c.Type
		}
	}
	return all
}()

// rowOf is a row and its run.
type rowOf[R any] struct {
	run dataset.RunID
	Row *R
}

// rows yields the rows of a kind, whose type is *R.
func rows[R any](store *dataset.Store, kind record.Kind, f dataset.Filter) iter.Seq2[*rowOf[R], error] {
	return func(yield func(*rowOf[R], error) bool) {
		for row, err := range store.Rows(kind, f) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(&rowOf[R]{row.Run, any(row.Row).(*R)}, nil) {
				return
			}
		}
	}
}

// perRun yields the contacts of one run after the other.
func (s Source) perRun(store *dataset.Store, f dataset.Filter) iter.Seq2[*dataset.Contact, error] {
	if s.Key == nil {
		return store.ContactsByRun(f)
	}
	return func(yield func(*dataset.Contact, error) bool) {
		runs, err := store.Runs()
		if err != nil {
			yield(nil, err)
			return
		}
		for _, run := range runs {
			one := f
			if !f.Picks(run.ID) {
				continue
			}
			one.Runs = []dataset.RunID{run.ID}
			for c, err := range s.contacts(store, one) {
				if !yield(c, err) || err != nil {
					return
				}
			}
		}
	}
}

// naming is that a node named another.
type naming struct {
	run      dataset.RunID
	visit    *record.Visit
	src, dst kad.NodeInfo
}

// edges yields who was named in answers to our queries, and by whom: the ID that
// answered.
func edges(store *dataset.Store, f dataset.Filter) iter.Seq2[*naming, error] {
	return func(yield func(*naming, error) bool) {
		for v, err := range rows[record.Visit](store, record.KindVisit, f) {
			if err != nil {
				yield(nil, err)
				return
			}
			src := kad.NodeInfo{ID: v.Row.Replier, Addr: v.Row.Node.Addr}
			for _, dst := range v.Row.Nodes {
				if !yield(&naming{v.run, v.Row, src, dst}, nil) {
					return
				}
			}
		}
	}
}

// found is a lookup and one of the nodes that it found closest.
type found struct {
	run     dataset.RunID
	number  int64 // of the lookup among those of its run
	lookup  *record.Lookup
	closest *record.Closest // nil: it found none
	rank    int64
}

func (s Source) lookups(store *dataset.Store, f dataset.Filter) iter.Seq2[*found, error] {
	all := dataset.Filter{Runs: f.Runs, But: f.But} // else a lookup had another number in each choice
	return func(yield func(*found, error) bool) {
		row := found{}
		for l, err := range rows[record.Lookup](store, record.KindLookup, all) {
			if err != nil {
				yield(nil, err)
				return
			}
			if l.run != row.run {
				row = found{run: l.run}
			}
			if row.number++; !f.Passes(l.Row) {
				continue
			}
			row.lookup, row.closest, row.rank = l.Row, nil, 0
			if len(l.Row.Closest) == 0 && !yield(&row, nil) {
				return
			}
			for _, c := range s.closest(l.Row) {
				if row.closest, row.rank = c.Closest, c.rank; !yield(&row, nil) {
					return
				}
			}
		}
	}
}
