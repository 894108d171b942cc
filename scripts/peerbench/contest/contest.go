// Package contest measures the same work done by several implementations, in
// turn and many times, so that what else the machine does falls on all of them
// alike.
package contest

import "context"

// Contest is one row: a piece of work, and who does it.
type Contest struct {
	Name     string // "read a find_node query"
	Unit     string // of the figures: "ns", "1/s", "B"
	More     bool   // more is better
	Entrants []Entrant
}

// Entrant does a contest's work its own way. The first entrant of a contest is
// what the others are compared with.
type Entrant struct {
	Name string // "lightdht"
	Skip string // why it cannot be measured here; "" when it can

	// Run does the work once, for as long as a figure takes, and returns the
	// figure and what else there is to say of it ("0 allocations"), or "".
	Run func(context.Context) (figure float64, note string, err error)
}
