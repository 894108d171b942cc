package lightdht

import (
	"net/netip"
	"slices"
	"sort"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// shortlist is the thinking part of a lookup in one family: whom to ask next,
// and when to stop. It has no clock, socket or goroutine.
//
// Candidates stand in order of their distance to the target. Counting from the
// nearest, those that answered are the result, once width of them are found and
// nobody nearer is left to ask or to wait for. Whoever is silent for longer than
// is usual keeps nobody else from being asked in its place; whoever is so for
// twice as long is no longer waited for, but counts if the answer comes in time.
//
// With spread, of one neighbourhood (/24, /64) only the nearest that answered
// counts, nobody farther is asked once it did, and no more than zoneTries are
// asked in vain: whoever holds many IDs there can neither surround a target nor
// have us ask one address again and again.
type shortlist struct {
	target   kad.ID
	width    int // how many must have answered
	parallel int // how many may be under way at a time
	maxAsked int // how many may be asked in all
	spread   bool

	list   []*candidate // in order of distance
	addrs  map[netip.AddrPort]bool
	asked  int
	busy   int // under way and still counted on
	silent int // under way and no longer counted on

	zones map[netip.Prefix]int // with spread: how many were asked in a neighbourhood and have not answered
}

// zoneTries is how many of one neighbourhood are asked, with spread.
const zoneTries = 3

// maxUnasked bounds the list beyond those that may be asked in all: whoever is
// farther than that many others will not be asked.
const maxUnasked = 1024

// candidate is somebody who may be asked, and what came of it.
type candidate struct {
	node  kad.NodeInfo
	hop   int // 1: known before; else one more than who named it
	state candidateState
	since time.Time // when it was asked, or is to be when it has to wait
	call  *call     // its query
	token []byte    // from its reply
	reply *krpc.Reply
	zone  netip.Prefix // its neighbourhood; zero without spread
}

type candidateState uint8

const (
	unasked  candidateState = iota
	busy                    // asked, and counted on
	silent                  // asked, no longer counted on, but waited for at the end
	overdue                 // asked, and no longer waited for
	answered                // replied
	failed                  // timed out, refused, or somebody else answered
)

func newShortlist(target kad.ID, c LookupConfig, spread bool) *shortlist {
	return &shortlist{
		target: target, width: max(c.Width, c.K), parallel: c.Parallel, maxAsked: c.MaxAsked, spread: spread,
		addrs: map[netip.AddrPort]bool{}, zones: map[netip.Prefix]int{},
	}
}

// candidate returns node as one that may be asked.
func (s *shortlist) candidate(node kad.NodeInfo, hop int) *candidate {
	c := &candidate{node: node, hop: hop}
	if s.spread {
		c.zone = vicinity(node.Addr.Addr())
	}
	return c
}

// add takes node in, unless its address already is or there is no room: then it
// returns nil. left tells whether somebody, be it node or one that made room for
// it, is left out.
func (s *shortlist) add(node kad.NodeInfo, hop int) (c *candidate, left bool) {
	if s.addrs[node.Addr] {
		return nil, false
	}
	i := s.place(node.ID)
	if len(s.list) >= s.maxAsked+maxUnasked {
		if left = true; !s.makeRoom(i) {
			return nil, left
		}
	}
	c = s.candidate(node, hop)
	s.addrs[node.Addr] = true
	s.list = slices.Insert(s.list, i, c)
	return c, left
}

// len counts the candidates, whatever came of them.
func (s *shortlist) len() int { return len(s.list) }

// unasked counts the candidates that can still be asked.
func (s *shortlist) unasked() (n int) {
	for _, c := range s.list {
		if c.state == unasked {
			n++
		}
	}
	return n
}

// place returns where a candidate with this ID stands in the list.
func (s *shortlist) place(id kad.ID) int {
	return sort.Search(len(s.list), func(i int) bool { return s.target.Closer(id, s.list[i].node.ID) })
}

// makeRoom drops the farthest candidate that nobody has asked, if it is farther
// than place i.
func (s *shortlist) makeRoom(i int) bool {
	for j := len(s.list) - 1; j >= i; j-- {
		if s.list[j].state == unasked {
			delete(s.addrs, s.list[j].node.Addr)
			s.list = slices.Delete(s.list, j, j+1)
			return true
		}
	}
	return false
}

// next returns whom to ask now, nil when nobody.
func (s *shortlist) next() *candidate {
	if s.busy >= s.parallel || s.asked >= s.maxAsked {
		return nil
	}
	var found tally
	for _, c := range s.list {
		switch c.state {
		case unasked:
			if !s.crowded(c, &found) {
				return c
			}
		case answered:
			if found.add(c) == s.width {
				return nil
			}
		case busy:
			found.expect(c)
		}
	}
	return nil
}

// crowded reports whether c is not worth asking: somebody nearer in its
// neighbourhood has answered or may yet, or enough were asked there.
func (s *shortlist) crowded(c *candidate, found *tally) bool {
	return s.spread && (found.has(c.zone) || s.zones[c.zone] >= zoneTries)
}

// done reports whether the lookup is over: the width nearest that can be had
// have answered, or there is nobody left to ask or to wait for.
func (s *shortlist) done() bool {
	var found tally
	for _, c := range s.list {
		switch c.state {
		case unasked:
			if s.asked < s.maxAsked && !s.crowded(c, &found) {
				return false
			}
		case busy, silent:
			return false
		case answered:
			if found.add(c) == s.width {
				return true
			}
		}
	}
	return s.silent == 0
}

// tally counts candidates in order of their distance, each ID once and, when
// they have one, each neighbourhood.
type tally struct {
	found int
	last  *candidate
	zones []netip.Prefix
}

func (t *tally) add(c *candidate) int {
	if t.new(c) {
		t.found++
		t.last = c
		t.expect(c)
	}
	return t.found
}

// new reports whether c counts.
func (t *tally) new(c *candidate) bool {
	return (t.last == nil || t.last.node.ID != c.node.ID) && !t.has(c.zone)
}

// expect makes c stand for its neighbourhood.
func (t *tally) expect(c *candidate) {
	if c.zone.IsValid() {
		t.zones = append(t.zones, c.zone)
	}
}

func (t *tally) has(zone netip.Prefix) bool { return zone.IsValid() && slices.Contains(t.zones, zone) }

// ask notes that c is asked now.
func (s *shortlist) ask(c *candidate, now time.Time) {
	c.state, c.since = busy, now
	if s.spread {
		s.zones[c.zone]++
	}
	s.asked++
	s.busy++
}

// settle notes what came of asking c.
func (s *shortlist) settle(c *candidate, to candidateState) {
	switch c.state {
	case busy:
		s.busy--
	case silent, overdue:
		s.silent--
	}
	if to == answered && s.spread {
		s.zones[c.zone]--
	}
	c.state = to
}

// giveUp stops counting on those who were asked patience or longer ago, whom it
// returns, and stops waiting for those asked twice as long ago.
func (s *shortlist) giveUp(now time.Time, patience time.Duration) []*candidate {
	var gone []*candidate
	for _, c := range s.list {
		waited := now.Sub(c.since)
		if c.state == busy && waited >= patience {
			c.state = silent
			s.busy--
			s.silent++
			gone = append(gone, c)
		}
		if c.state == silent && waited >= 2*patience {
			c.state = overdue
		}
	}
	return gone
}

// nextGiveUp returns when giveUp will next have something to do; the zero time
// when it has nothing to wait for.
func (s *shortlist) nextGiveUp(patience time.Duration) time.Time {
	var first time.Time
	for _, c := range s.list {
		var due time.Time
		switch c.state {
		case busy:
			due = c.since.Add(patience)
		case silent:
			due = c.since.Add(2 * patience)
		default:
			continue
		}
		if first.IsZero() || due.Before(first) {
			first = due
		}
	}
	return first
}

// replaced notes that id answered where c was expected: c failed, and id joins
// as one that answered. It returns the one that joined.
func (s *shortlist) replaced(c *candidate, id kad.ID) *candidate {
	s.settle(c, failed)
	other := s.candidate(kad.NodeInfo{ID: id, Addr: c.node.Addr}, c.hop)
	other.state = answered
	s.list = slices.Insert(s.list, s.place(id), other)
	return other
}

// closest returns the k nearest that answered, each ID once and, with spread,
// each neighbourhood; crowded are those nearer than the last of them that were
// left out, or not asked, for that.
func (s *shortlist) closest(k int) (out []*candidate, crowded int) {
	var found tally
	for _, c := range s.list {
		switch {
		case found.found == k:
			return out, crowded
		case c.state == unasked && s.crowded(c, &found):
			crowded++
		case c.state != answered:
		case found.new(c):
			found.add(c)
			out = append(out, c)
		case found.has(c.zone):
			crowded++
		}
	}
	return out, crowded
}

// waiting returns those that were asked and have neither answered nor failed.
func (s *shortlist) waiting() []*candidate {
	var out []*candidate
	for _, c := range s.list {
		if c.state == busy || c.state == silent || c.state == overdue {
			out = append(out, c)
		}
	}
	return out
}
