package analysis

import (
	"errors"
	"fmt"
	"iter"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Null is what the tests of IDs take for granted of honest nodes. Both are worth
// a look: what stands out under [OneNodePerAddress] alone is a crowd behind few
// addresses (a VPN, a carrier's NAT); what stands out under both is none that BEP 42
// explains.
type Null uint8

const (
	// OneNodePerAddress: each distinct ID is a uniform point of its own.
	OneNodePerAddress Null = iota
	// BoundByAddress: BEP 42 lets the nodes of one address (IPv6: of one /64) have
	// 8 prefixes of 21 bits. Those of one address that share their first 21 bits are
	// one cell, and each cell is a uniform point of its own. A node with a random ID
	// is a cell of its own but for a chance of 2^-21.
	BoundByAddress
)

// String returns "one node per address" or "BEP 42".
func (n Null) String() string {
	if n == BoundByAddress {
		return "BEP 42"
	}
	return "one node per address"
}

// Nulls are both, in the order in which they are told.
var Nulls = [...]Null{OneNodePerAddress, BoundByAddress}

// IDSample holds the contacts whose IDs are judged, by ID: 40 bytes each.
// [GatherIDs] makes one.
type IDSample struct {
	Contacts  int // (ID, address) pairs that count
	IDs       int // distinct IDs among them
	Addresses int // distinct IP addresses among them
	Silent    int // contacts left out: they never answered

	records []idRecord // sorted by ID, then by address
	clients []string   // what idRecord.client counts in; the first is ""
	cells   []idKey    // the points under BoundByAddress
}

// IDPoints are IDs as points of the space, sorted and distinct, that are
// independent and uniform under a [Null]. It is read only.
type IDPoints []kad.ID

// GatherIDs takes in contacts, in any order. Those that never answered are no
// evidence of a node: they are left out and counted in Silent, unless all is true.
// An error of contacts is returned as it is; without IDs, or with one ID or one
// address alone, there is nothing to judge.
func GatherIDs(contacts iter.Seq2[*Contact, error], all bool) (*IDSample, error) {
	return nil, errors.New("not yet")
}

// Points returns the points whose law null says.
func (s *IDSample) Points(null Null) IDPoints { return nil }

// Uniformity is how evenly points fill the 2^Depth zones of a prefix length.
type Uniformity struct {
	Depth    int     // bits of the prefix
	Points   int     // N
	Bins     float64 // 2^Depth
	Occupied int     // bins with a point
	Largest  int     // points in the fullest bin

	ChiSquare Test // Pearson's
	G         Test // likelihood ratio

	Dispersion         float64  // variance of the counts to their mean: 1 for chance, more for crowds
	DispersionInterval Interval // holds the true ratio

	Entropy         float64 // of a point's bin, in bits, as counted (biased low)
	MillerMadow     float64 // the same, corrected for that bias
	ExpectedEntropy float64 // of Entropy, for uniform points
	EntropySD       float64 // standard deviation of Entropy, for uniform points
}

// Test is the outcome of a test. A small P says that chance alone does not often
// make so large a Statistic.
type Test struct {
	Name      string // as in "Pearson chi-square"
	Statistic float64
	DF        float64 // degrees of freedom; 0: it has none
	P         float64
}

// GapTest is about the gaps between neighbouring points, on the circle of the
// space, in units of the mean gap: exponential with mean 1 for uniform points.
type GapTest struct {
	Gaps      int
	Moran     Test // minus the sum of the logarithms of the gaps
	Least     float64
	Median    float64 // ln 2 = 0.693 for uniform points
	Greatest  float64
	Quantiles []GapQuantile // for a quantile-quantile plot, ascending
}

// GapQuantile is one gap of the sorted gaps beside what uniform points would have.
type GapQuantile struct {
	P                  float64 // share of gaps that are no larger
	Expected           float64 // -ln(1-P), in mean gaps
	Observed           float64 // in mean gaps
	ExpectLo, ExpectHi float64 // 95 of 100 uniform samples have theirs in here (each point by itself)
}

// Zone is a run of neighbouring prefixes that holds more points than chance puts
// there.
type Zone struct {
	Null        Null
	Depth       int        // bits of the prefixes
	First, Last kad.Prefix // the run, both included
	Observed    int        // points in it: IDs, or cells (under BoundByAddress, up to depth 21)
	Expected    float64
	P           float64 // adjusted for all zones of all depths looked at
	IDs         int     // distinct IDs in it
	Addresses   int     // distinct IP addresses behind those
}

// Ratio is how many times as many as expected.
func (z Zone) Ratio() float64 { return float64(z.Observed) / z.Expected }

// Scan is a search for crowded zones.
type Scan struct {
	Null        Null
	Level       float64 // share of false zones among those found, on average
	Least, Most int     // depths looked at
	Candidates  int     // hypotheses among which P is adjusted
	Zones       []Zone  // in the order of the ID space
}

// Compliance is how many contacts have an ID that BEP 42 allows for their address.
type Compliance struct {
	Family   kad.Family // 0: of both
	Client   string     // code by BEP 20, "" unknown; "*" for all clients
	Contacts int        // that BEP 42 is about
	Secure   int
	Exempt   int      // contacts at local addresses, which may have any ID; not in Contacts
	Interval Interval // of Secure/Contacts
}

// ChanceSecure is the share of random IDs that BEP 42 allows at an address.
const ChanceSecure = 0x1p-21

// Multiplicity is how many of one thing belong to one of another: IDs to an address.
type Multiplicity struct {
	Of, Per  string // "IDs", "IPv4 /24"
	Holders  int    // how many addresses (or IDs, or networks) there are
	Mean     float64
	Median   int
	P90, P99 int // quantiles
	Most     int
	Powers   []Power  // 1, 2, 3-4, 5-8, …
	Largest  []Holder // the ten with most
	Tail     []TailPoint
}

// Power counts the holders of From to To things.
type Power struct{ From, To, Holders int }

// Holder is one holder and how many things it has.
type Holder struct {
	Name  string // address, network in CIDR notation, or ID
	Count int
}

// TailPoint says which share of the holders has Count things or more.
type TailPoint struct {
	Count int
	Share float64
}

// Uniformity counts points by their first depth bits and compares with chance.
func (p IDPoints) Uniformity(depth int) (Uniformity, error) {
	return Uniformity{}, fmt.Errorf("not yet")
}

// Histogram returns how many points lie in each of the 2^depth zones, for a
// picture; depth is at most 24.
func (p IDPoints) Histogram(depth int) []int { return nil }

// Kolmogorov compares the points with the uniform law in one stroke.
func (p IDPoints) Kolmogorov() (Test, error) { return Test{}, nil }

// Gaps looks at the gaps between neighbours.
func (p IDPoints) Gaps() (GapTest, error) { return GapTest{}, nil }

// Zones searches for crowded zones.
func (s *IDSample) Zones(null Null, level float64) (Scan, error) { return Scan{}, nil }

// Compliance counts by family and client: first the families with all clients.
func (s *IDSample) Compliance() []Compliance { return nil }

// Multiplicities are IDs per address, addresses per ID, IDs per IPv4 /24, IDs per IPv6 /64.
func (s *IDSample) Multiplicities() []Multiplicity { return nil }

type (
	idKey    struct{}
	idRecord struct{}
)
