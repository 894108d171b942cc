package analysis

import (
	"errors"
	"fmt"
	"iter"
	"time"
)

// Counting is what counts as one. Which of them is taken changes shares more than
// chance does: an address with a thousand IDs is one address, and a node that is
// there for an hour is as much of all that was ever seen as one that stays. So all
// three are given, side by side.
type Counting uint8

// The countings.
const (
	ByID      Counting = iota // each distinct ID once
	ByAddress                 // each distinct IP address once, whatever its ports
	PerRun                    // what a run sees, each contact once, on average over runs
	Countings = iota          // how many there are
)

// String returns "id", "address" or "run".
func (c Counting) String() string {
	return [...]string{"id", "address", "run", "unknown"}[min(c, Countings)]
}

// Names of classes that are not what they say.
const (
	Unknown  = "unknown"   // of whom nothing is known: told no version, is not in the database
	NoneSeen = "none seen" // of extensions: it was not seen to use any
	Other    = "other"     // all that is known and not among the classes named
)

// The sections of a census, as they are named.
const (
	States     = "states"   // of all contacts, those that never answered among them
	Families   = "families" // "ipv4" and "ipv6"; by ID also "both"
	Clients    = "clients"  // two letters by BEP 20
	Versions   = "versions" // as they were told
	Ports      = "ports"    // of UDP
	PortRanges = "port ranges"
	Extensions = "extensions" // BEP numbers; one node may have several, so that the shares do not add up to 1
	Nets8      = "ipv4 /8"    // of those that have an IPv4 address
	Nets16     = "ipv4 /16"   // of the same
	Nets32     = "ipv6 /32"   // of those that have an IPv6 address
	Countries  = "countries"  // ISO 3166 codes
	Systems    = "systems"    // autonomous systems, as in "AS3320 Deutsche Telekom AG"
)

// CensusOptions say what a census counts. The zero CensusOptions are good.
type CensusOptions struct {
	All bool // count contacts that never answered, too; else only states have them
	Top int  // how many classes of a section are named, the largest; 0: 10

	Tops map[string]int // the same of single sections, where it is to be another number

	// Least is how many a class of a section must have, by ID or by address, to be
	// named; of a section that is not in it, 1.
	Least map[string]int
}

// Census is what contacts consist of.
type Census struct {
	Contacts int // given, each (ID, address) pair once
	Answered int // of them: answered at least once
	LeftOut  int // of them: never answered, and so counted among the states alone; 0 when all are counted
	Runs     int // that rows by run were given of; 0: PerRun is empty everywhere

	Totals   [Countings]Number // of IDs, of addresses, and of contacts in a run, without those left out
	Sections []Section         // in the order above, those that have anything in them
	Asked    Replies
	RTT      RoundTrips
	Over     []Concentration // over systems, countries, /16 and clients, where any is known
}

// Section is how the counted ones spread over classes.
type Section struct {
	Name     string
	Distinct [Countings]Number // how many classes there are, unknown not among them
	Classes  []Class           // the largest by ID first; then Other and Unknown, if there are any
}

// Class is a part of what is counted.
type Class struct {
	Name   string
	Shares [Countings]Share
}

// Number is a number with its interval.
type Number struct {
	Value    float64  // NaN: there is none
	Samples  int      // what it rests on: IDs, addresses, runs
	Interval Interval // Level 0: there is none
}

// Share is a part of a whole. Value is the share, from 0 to 1: per run it is the
// mean of the shares, which is not the share of the means.
type Share struct {
	Number
	Count float64 // how many have it: an integer, or per run a mean
	Of    float64 // of how many
}

// Replies are the shares of what was asked that answered.
type Replies struct {
	Nodes   [Countings]Share // of IDs, addresses or contacts that were sent a query: that ever answered one
	Queries [Countings]Share // of queries sent to them: that had an answer
}

// RoundTrips are the round trip times of those that answered, of each its last.
type RoundTrips struct {
	Quantiles []Quantile
	Bars      [Countings][]Bar // in order, none of them empty; none per run
	Unknown   [Countings]int   // answered, and the round trip is not known; of PerRun in all runs
}

// Quantile is a value that a share P of all lie at or below.
type Quantile struct {
	P  float64
	At [Countings]Number // in microseconds
}

// Bar is how many values lie in a small range.
type Bar struct {
	From, To time.Duration // both inclusive
	Count    int64
}

// Concentration is how unevenly what is counted spreads over entities, those that
// are not known left out.
type Concentration struct {
	Over     string            // a section: Systems, Countries, Nets16 or Clients
	Unknown  [Countings]Number // how many were left out
	Gini     [Countings]Number
	HHI      [Countings]Number
	Nakamoto [Countings]Number
}

// Section returns the section of a name, nil when there is none.
func (c *Census) Section(name string) *Section {
	for i := range c.Sections {
		if c.Sections[i].Name == name {
			return &c.Sections[i]
		}
	}
	return nil
}

// TakeCensus counts contacts, which may come in any order and more than once, and
// rows by run: of each run what it saw of a contact, each contact once. byRun may be
// nil. They are read through one after the other, contacts first. Each is kept in 64
// bytes until they are counted, and 16 more meanwhile.
//
// An ID that has several contacts, as an address may, counts once, for what its best
// contact is: one that answered before one that did not, then the one with the most
// replies, then with the fewest failures, then the lowest address. That is so of its
// state, client, version, port, networks, country, system and round trip. Of families
// and extensions it has those of all its contacts. What order they come in makes no
// difference.
//
// The IDs of one address are not independent: intervals by ID take each address, of
// those that have an ID's best contact, for one that was drawn, as [Ratio.Share] says;
// where all have one ID only that is nothing else than [ClopperPearson], as by address
// it always is. Those of classes of which the largest are named hold together, over
// all that there are, whichever are picked; Other, which is what is left by that, has
// none. Of States, Families, PortRanges and Extensions, and of Unknown, each holds by
// itself. Intervals of means of runs are those of [Mean], cut off at 0, and shares at
// 1. Gini and HHI by ID have none where addresses have several.
//
// Of contacts that are given as each run saw them, the same rule takes of each the row
// of the run in which it answered most.
//
// Without contacts, and when none of them answered and not all are to be counted, it
// is an error.
func TakeCensus(contacts, byRun iter.Seq2[*Contact, error], o CensusOptions) (*Census, error) {
	d, s := newDictionary(), slab{}
	if err := s.gather(contacts, d); err != nil {
		return nil, err
	}
	if s.len == 0 {
		return nil, errors.New("no contacts to count")
	}
	t := tallies{dictionary: d, options: o}
	c := &Census{}
	t.all[ByAddress], _, _ = s.countAll(ByAddress, d, o.All)
	t.all[ByID], c.Contacts, c.Answered = s.countAll(ByID, d, o.All)
	if c.Answered == 0 && !o.All {
		return nil, fmt.Errorf("none of %d contacts ever answered: count those that were only mentioned with --all", c.Contacts)
	}
	if !o.All {
		c.LeftOut = c.Contacts - c.Answered
	}
	t.rank()
	t.crowds = s.findCrowds(d, o.All, t.bounds)
	s = slab{} // what runs have needs its room
	var err error
	if t.runs, err = countRuns(byRun, d, o.All); err != nil {
		return nil, err
	}
	t.tell(c)
	return c, nil
}
