// Package record has the row kinds of a measurement and the one-method
// interface that takes them: what a node saw goes through a [Recorder] before it
// goes anywhere else.
//
//	node, err := lightdht.Listen(":6881", lightdht.Config{Recorder: store})
//
// A row is handed over as a pointer into the giver's own memory, because rows
// come by the hundred thousand: it is valid until Record returns, and so are the
// byte slices in it. Whoever keeps a row keeps a copy, with its slices cloned.
package record

import (
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Recorder takes rows. Record is called from many goroutines, the read loops of
// a node among them: it must be safe for that, must not block for long, and must
// not wait for the node, ask anybody or add contacts. It has no error to return:
// a Recorder that could not keep a row counts it.
//
// The sightings of one contact come in the order in which the node's table is
// told them. Told to an empty table they make the same again, but for those that
// the table was not told because of the node's limits of contacts.
type Recorder interface{ Record(Row) }

// Row is a *[Sighting].
type Row interface{ row() }

// Sighting is one observation of a contact: what a table adds to its history,
// and who told.
type Sighting struct {
	Time  time.Time
	Self  kad.ID       // our ID, at whose node it was made
	Node  kad.NodeInfo // who was seen
	Event Event

	By       kad.NodeInfo  // of Mentioned: who named it; zero when the caller did
	RTT      time.Duration // of Replied: the round trip
	Version  []byte        // of Queried and Replied: the client version told; nil when none
	Method   string        // of Queried: what it asked; of Replied and Failed: what it was asked
	ReadOnly bool          // of Queried: it was marked read-only, BEP 43
	Router   bool          // it is a bootstrap router
	Entrance bool          // it is at a place to begin with, be that a router or not
}

func (*Sighting) row() {}

// Event is what happened.
type Event uint8

// The events of a sighting. They have the numbers of package table's.
const (
	Mentioned Event = iota + 1 // a node list named it, or the caller did
	Queried                    // it asked us something
	Replied                    // it answered us, be it with an error
	Failed                     // a query of ours to it had no answer
)

// String returns "mentioned", "queried", "replied" or "failed".
func (e Event) String() string {
	names := [...]string{"unknown", "mentioned", "queried", "replied", "failed"}
	if int(e) < len(names) {
		return names[e]
	}
	return names[0]
}
