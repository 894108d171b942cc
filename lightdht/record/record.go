// Package record has the row kinds of a measurement and the one-method
// interface that takes them: what a node saw goes through a [Recorder] before it
// goes anywhere else.
//
//	node, err := lightdht.Listen(":6881", lightdht.Config{Recorder: run})
//
//	Sighting   something was seen of a contact
//	Query      we were asked something
//	Visit      we asked something, and what became of it
//	Lookup     a lookup of ours ended
//	Estimate   a quantity was estimated
//	Endpoint   an address was met whose ID is unknown
//
// A row is handed over as a pointer into the giver's own memory, because rows
// come by the hundred thousand: it is valid until Record returns, and so are the
// slices in it. Whoever keeps a row keeps a copy, with its slices cloned.
package record

import "time"

// Recorder takes rows. Record is called from many goroutines, the read loops of
// a node among them: it must be safe for that, must not block for long, and must
// not wait for the node, ask anybody or add contacts. It has no error to return:
// a Recorder that could not keep a row counts it.
//
// The sightings of one contact come in the order in which the node's table is
// told them. Told to an empty table they make the same again, but for those that
// the table was not told because of the node's limits of contacts.
type Recorder interface{ Record(Row) }

// Row is a *[Sighting], *[Query], *[Visit], *[Lookup], *[Estimate] or *[Endpoint].
type Row interface {
	// When returns the time of the row: what it is sorted and selected by.
	When() time.Time
	Kind() Kind
}

// Kind is the kind of a row. Its values are written into data that is kept: they
// never change.
type Kind uint8

// The kinds.
const (
	KindSighting Kind = iota + 1
	KindQuery
	KindVisit
	KindLookup
	KindEstimate
	KindEndpoint
	numKinds
)

// Kinds are all of them.
var Kinds = []Kind{KindSighting, KindQuery, KindVisit, KindLookup, KindEstimate, KindEndpoint}

// String returns the plural that commands and manifests use: "sightings",
// "queries", "visits", "lookups", "estimates" or "endpoints".
func (k Kind) String() string {
	return name(k, "unknown", "sightings", "queries", "visits", "lookups", "estimates", "endpoints")
}

// name returns the name of a number, the first for one that has none.
func name[T ~uint8](n T, names ...string) string {
	if int(n) < len(names) {
		return names[n]
	}
	return names[0]
}
