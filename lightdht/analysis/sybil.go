package analysis

// Sybils tests the closest nodes around targets for sybils; see NewSybils.
type Sybils struct {
	k    int
	size SizeEstimate
}

// SybilResult is what the tests say of one target.
type SybilResult struct {
	K     int
	Gamma Finding // the k closest together
	Scan  Finding // the closest of some rank
	KL    Finding // common prefix lengths
}

// Finding is a test's statistic with its p-value, exact under the null.
type Finding struct {
	Statistic float64
	P         float64
	Rank      int // of the scan: the j at which it is least; otherwise k
}

// NewSybils prepares the tests of the k closest in a network of the size given.
func NewSybils(k int, size SizeEstimate) (*Sybils, error) { panic("to come") }

// Test tests the k closest of one target.
func (s *Sybils) Test(d Distances) (SybilResult, error) { panic("to come") }

// Critical are the values at which each test alarms at a level.
func (s *Sybils) Critical(level float64) (gamma, scan, kl float64) { panic("to come") }
