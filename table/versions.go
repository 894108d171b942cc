package table

// maxVersion is how many bytes of a client version are kept; BEP 20's have 4.
const maxVersion = 64

// versions numbers the distinct client versions, so that a record holds two
// bytes for one. Strangers choose them, hence the bounds: 65,535 of them and
// "", which is number 0. What falls outside is counted.
type versions struct {
	texts   []string
	numbers map[string]uint16
	drops   Drops
}

func newVersions() versions {
	return versions{texts: []string{""}, numbers: map[string]uint16{"": 0}}
}

// number returns the number of v, a new one when there is room, else 0. It
// allocates only for a version never seen before.
func (vs *versions) number(v []byte) uint16 {
	if len(v) > maxVersion {
		v = v[:maxVersion]
		vs.drops.VersionsCut++
	}
	if n, ok := vs.numbers[string(v)]; ok {
		return n
	}
	if len(vs.texts) > int(^uint16(0)) {
		vs.drops.VersionsLost++
		return 0
	}
	n := uint16(len(vs.texts))
	text := string(v)
	vs.texts = append(vs.texts, text)
	vs.numbers[text] = n
	return n
}

func (vs *versions) text(n uint16) string { return vs.texts[n] }
