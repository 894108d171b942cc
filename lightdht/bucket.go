package lightdht

import (
	"slices"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// coreMember is a member of a core, or one that waits to be.
type coreMember struct {
	node     kad.NodeInfo
	answered time.Time // when it last answered us; never zero
	heard    time.Time // when it last asked us something; zero when it has not
	asked    time.Time // when it was last given for a ping; zero when it was not
	failed   time.Time // when a query last had no answer; zero when all had
	failures int       // queries in a row without an answer
	bucket   int       // its bucket; set in copies only
}

func (m *coreMember) bad() bool { return m.failures >= coreBadAfter }

// due is when m is to be pinged.
func (m *coreMember) due() time.Time {
	gap := pingAgain
	if m.failures > 0 {
		gap = min(pingAgain<<(m.failures-1), pingRarely)
	}
	again := m.asked.Add(gap) // long ago when it was not
	if m.failures > 0 {
		return later(again, m.failed.Add(gap))
	}
	return later(again, later(m.answered, m.heard).Add(table.FreshFor))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// coreBucket is the members of one range of the space, and who waits for their
// places. No ID is twice among the members, nor among those that wait.
type coreBucket struct {
	members []coreMember // in the order they joined
	waiting []coreMember // in the order they came to wait; none is bad
	due     time.Time    // when the first of the members is due
	changed time.Time    // when the range last changed or was looked up
}

// find returns the entry of node in list, nil when it has none.
func find(list []coreMember, node kad.NodeInfo) *coreMember {
	for i := range list {
		if list[i].node == node {
			return &list[i]
		}
	}
	return nil
}

// first returns the member that is due first; there is one.
func (b *coreBucket) first() *coreMember {
	at, due := 0, b.members[0].due()
	for i := range b.members {
		if d := b.members[i].due(); d.Before(due) {
			at, due = i, d
		}
	}
	return &b.members[at]
}

// remind works due out again, after a change to a member.
func (b *coreBucket) remind() {
	b.due = time.Time{}
	if len(b.members) > 0 {
		b.due = b.first().due()
	}
}

// unwait takes node out of those that wait.
func (b *coreBucket) unwait(node kad.NodeInfo) {
	b.waiting = slices.DeleteFunc(b.waiting, func(m coreMember) bool { return m.node == node })
}

// nearest appends the members that are not bad to dst, nearest to target first,
// until dst has end entries.
func (b *coreBucket) nearest(dst []kad.NodeInfo, target kad.ID, end int) []kad.NodeInfo {
	start := len(dst)
	for i := range b.members {
		m := &b.members[i]
		at := len(dst)
		for at > start && target.Closer(m.node.ID, dst[at-1].ID) {
			at--
		}
		if m.bad() || at >= end {
			continue
		}
		dst = slices.Insert(dst[:min(len(dst), end-1)], at, m.node)
	}
	return dst
}

// worst returns the bad member that failed most often, the first of equals; -1
// when there is none.
func (b *coreBucket) worst() int {
	at := -1
	for i := range b.members {
		if m := &b.members[i]; m.bad() && (at < 0 || m.failures > b.members[at].failures) {
			at = i
		}
	}
	return at
}

// farthest returns the member farthest from self, and how many are nearer to it
// than id; there is one.
func (b *coreBucket) farthest(self, id kad.ID) (at, nearer int) {
	for i := range b.members {
		if self.Closer(b.members[at].node.ID, b.members[i].node.ID) {
			at = i
		}
		if self.Closer(b.members[i].node.ID, id) {
			nearer++
		}
	}
	return at, nearer
}
