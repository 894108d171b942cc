package analysis

import (
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Contact is what was seen of one contact, an ID at an address, as it is counted
// here. Texts are "" and numbers 0 where nothing is known.
type Contact struct {
	ID   kad.ID
	Addr netip.AddrPort // unmapped

	State    string // BEP 5's judgement: "good", "questionable" or "bad"
	Client   string // client code by BEP 20, two letters
	Version  string // client version as it was told, in printable form
	BEPs     string // extensions that it was seen to use, as in "32 42"
	ReadOnly bool   // its last query was marked read-only (BEP 43)
	Router   bool   // it only introduces
	Secure   bool   // its ID fits its address (BEP 42), as that of a local address always does

	Queries  uint32        // received from it
	Replies  uint32        // received from it
	Failures uint32        // queries to it that had no answer
	RTT      time.Duration // round trip of its last answer; 0: none known

	Country string // ISO 3166 code
	ASN     uint32 // autonomous system
	Org     string // who runs that

	Run string // the run that saw it; "" when it belongs to none
}

// Answered reports whether the contact ever answered: it was there.
func (c *Contact) Answered() bool { return c.Replies > 0 }
