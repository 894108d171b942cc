package table

// Prefix is a table of ID prefixes over b-trees.
type Prefix struct{ contacts }

// NewPrefix returns an empty [Prefix].
func NewPrefix() Table {
	t := new(Prefix)
	t.init(func(s *slab) index { return &flatIndex{slab: s} })
	return t
}
