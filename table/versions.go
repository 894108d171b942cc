package table

import (
	"sync"
	"sync/atomic"
)

const (
	maxVersion  = 64      // bytes of a client version that are kept; BEP 20's have 4
	maxVersions = 1 << 16 // with "", number 0
)

// versions numbers the distinct client versions, so that a record holds two
// bytes for one. Strangers choose them, hence the bounds: 65,535 of them and
// "", which is number 0. What falls outside is counted.
//
// All zones share it. Most versions are known, and found without a lock: in a
// map that is replaced, never changed. New ones gather in a second map until
// they are a quarter of it, so that many cost what a few do each. Once there is
// no room for more, nobody waits for the lock.
type versions struct {
	texts atomic.Pointer[[]string] // what is beyond its length may be written
	known atomic.Pointer[map[string]uint16]

	mu     sync.Mutex
	recent map[string]uint16 // those that are not in known; guarded by mu

	cut, lost atomic.Uint64
}

func (vs *versions) init() {
	vs.texts.Store(&[]string{""})
	vs.known.Store(&map[string]uint16{"": 0})
	vs.recent = map[string]uint16{}
}

// number returns the number of v, a new one when there is room, else 0. It
// allocates only for a version never seen before, or not often.
func (vs *versions) number(v []byte) uint16 {
	if len(v) > maxVersion {
		v = v[:maxVersion]
		vs.cut.Add(1)
	}
	known := *vs.known.Load()
	if n, ok := known[string(v)]; ok {
		return n
	}
	if len(known) == maxVersions {
		vs.lost.Add(1)
		return 0
	}
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if n, ok := vs.recent[string(v)]; ok {
		return n
	}
	if n, ok := (*vs.known.Load())[string(v)]; ok { // since it was looked for
		return n
	}
	texts := *vs.texts.Load()
	if len(texts) == maxVersions {
		vs.lost.Add(1)
		return 0
	}
	n, text := uint16(len(texts)), string(v)
	texts = append(texts, text)
	vs.texts.Store(&texts)
	vs.recent[text] = n
	if len(vs.recent) > len(texts)/4 || len(texts) == maxVersions {
		vs.publish()
	}
	return n
}

// publish makes the recent ones known.
func (vs *versions) publish() {
	old := *vs.known.Load()
	known := make(map[string]uint16, len(old)+len(vs.recent))
	for _, m := range []map[string]uint16{old, vs.recent} {
		for text, n := range m {
			known[text] = n
		}
	}
	vs.known.Store(&known)
	clear(vs.recent)
}

// text returns the version with this number, which the caller had from a record.
func (vs *versions) text(n uint16) string { return (*vs.texts.Load())[n] }

func (vs *versions) drops() Drops {
	return Drops{VersionsCut: vs.cut.Load(), VersionsLost: vs.lost.Load()}
}
