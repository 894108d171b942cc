package analysis

import "github.com/lightdht/lightdht/lightdht/kad"

// Pair is what two lookups of one target found, each the IDs of nodes that
// answered, in any order: at least its closest 8, or all when it found fewer.
type Pair struct {
	Target        kad.ID
	First, Second []kad.ID
}

// RecallEstimate is the share of the truly closest nodes that a lookup finds.
type RecallEstimate struct {
	Share    float64 // between 0 and 1
	Interval Interval
	Targets  int // how many pairs it rests on
	Checked  int // nodes among the closest that the second lookups found
	Found    int // how many of these the first lookups found, too
}

// Recall estimates the share of the true closest 8 that the first lookups found.
func Recall(pairs []Pair, confidence float64) (RecallEstimate, error) { panic("to come") }
