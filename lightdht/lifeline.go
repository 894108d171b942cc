package lightdht

import (
	"sync"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// lifeline tells a silent contact from a silent network. A time-out counts
// against a contact only if somebody else answered us when its answer was due, or
// does so soon. Only answers to queries of ours are heard: what others send by
// themselves does not tell that anything of ours gets out.
//
//	heard ── sent ── due ── heard ── time-out                it failed
//	heard ── sent ── due ─────────── time-out ── heard       it failed, if that silence was short
//	heard ── sent ── due ─────────── time-out ─────── heard  nothing is known: void
//
// When several contacts are silent, asked one after the other, and nobody has
// been heard for that long, the network is away, until somebody is heard. It has
// no clock.
type lifeline struct {
	silence time.Duration // no longer than this is a silence that means nothing

	mu    sync.Mutex
	heard time.Time // when anything last arrived; zero: never
	held  []heldFailure
	away  bool
}

// heldFailure is a time-out that nobody knows the cause of.
type heldFailure struct {
	node   kad.NodeInfo
	named  bool
	method string // what it was asked
	at     time.Time
}

const (
	silentTimeouts = 2    // time-outs long is a silence that may be that of the network
	maxHeld        = 1024 // time-outs held; beyond it they are void
	awayAfter      = 3    // contacts that are silent make an outage
)

// hear notes that something arrived. It returns the failures that now count, one
// for each contact, how many are void, and whether the network is back.
func (l *lifeline) hear(now time.Time) (failed []heldFailure, void int, back bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	long := l.long(now)
	l.heard = now
	if len(l.held) == 0 {
		return nil, 0, false
	}
	seen := map[kad.NodeInfo]bool{}
	for _, h := range l.held {
		if long || l.away || seen[h.node] {
			void++
			continue
		}
		seen[h.node] = true
		failed = append(failed, h)
	}
	back = l.away
	l.held, l.away = nil, false
	return failed, void, back
}

// long reports whether nobody has been heard for so long that it may be the
// network.
func (l *lifeline) long(now time.Time) bool { return l.heard.IsZero() || now.Sub(l.heard) > l.silence }

// timedOut notes a time-out; an answer would have been there at the time due. It
// reports whether that counts against the contact, whether the network is now
// taken to be away, and how many failures had to be left out.
func (l *lifeline) timedOut(due time.Time, f heldFailure) (counts, gone bool, void int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.heard.IsZero() && !l.heard.Before(due) {
		return true, false, 0
	}
	if len(l.held) >= maxHeld {
		return false, false, 1
	}
	l.held = append(l.held, f)
	if l.away || !l.long(f.at) || !l.several() {
		return false, false, 0
	}
	l.away = true
	return false, true, 0
}

// several reports whether the held failures are of awayAfter contacts, over so
// long a time that upkeep, with each of them in doubt, has asked others twice.
func (l *lifeline) several() bool {
	if last := l.held[len(l.held)-1]; last.at.Sub(l.held[0].at) < l.silence {
		return false
	}
	seen := map[kad.NodeInfo]bool{}
	for _, h := range l.held {
		if seen[h.node] = true; len(seen) >= awayAfter {
			return true
		}
	}
	return false
}

// isAway reports whether the network is taken to be away.
func (l *lifeline) isAway() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.away
}

// silentSince reports whether nobody has been heard since t.
func (l *lifeline) silentSince(t time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.heard.After(t)
}

// doubt reports whether a failure is held, so that it is worth knowing whether
// anybody answers.
func (l *lifeline) doubt() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.held) > 0 && !l.away
}
