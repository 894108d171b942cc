package record

import (
	"strconv"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

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
	BEPs     BEPs          // of Queried and Replied: what it was seen to support
	ReadOnly bool          // of Queried: it was marked read-only, BEP 43
	Router   bool          // it is a bootstrap router
	Entrance bool          // it is at a place to begin with, be that a router or not
}

// When returns the time of the sighting.
func (s *Sighting) When() time.Time { return s.Time }

// Kind returns KindSighting.
func (s *Sighting) Kind() Kind { return KindSighting }

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
	return name(e, "unknown", "mentioned", "queried", "replied", "failed")
}

// BEPs is a set of extensions that a node was seen to support: to use them, not
// just to answer a query that has them with something else.
type BEPs uint8

// The extensions. They are written into data that is kept.
const (
	BEP32 BEPs = 1 << iota // IPv6: it told or wanted nodes of the other family
	BEP33                  // scrapes: it told filters, or asked for them
	BEP42                  // it told us our address
	BEP44                  // values: it put or got one
	BEP51                  // it told samples of infohashes, or asked for them
)

var bepNumbers = [...]int{32, 33, 42, 44, 51}

// String returns the numbers, joined by spaces: "32 42"; "" for the empty set.
func (b BEPs) String() string { return bepTexts[b] }

// AppendText appends what String returns.
func (b BEPs) AppendText(to []byte) ([]byte, error) { return append(to, bepTexts[b]...), nil }

// bepTexts are the texts of all sets.
var bepTexts = func() (texts [256]string) {
	for set := range texts {
		var text []byte
		for i, number := range bepNumbers {
			if set&(1<<i) == 0 {
				continue
			}
			if len(text) > 0 {
				text = append(text, ' ')
			}
			text = strconv.AppendInt(text, int64(number), 10)
		}
		texts[set] = string(text)
	}
	return texts
}()
