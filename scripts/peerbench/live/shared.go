package live

import "context"

// shared is a measurement that several contests have a figure of. Whoever is
// told first has it made; one who has been told that of the last has it made
// again.
type shared[T any] struct {
	measure func(context.Context) (T, error)
	last    T
	err     error
	told    map[int]bool // who has been told of the last; nil: there is none yet
}

// get returns what is new for a contest.
func (s *shared[T]) get(ctx context.Context, contest int) (T, error) {
	if s.told == nil || s.told[contest] {
		s.last, s.err = s.measure(ctx)
		s.told = make(map[int]bool)
	}
	s.told[contest] = true
	return s.last, s.err
}
