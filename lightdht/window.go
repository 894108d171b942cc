package lightdht

import (
	"net/netip"
	"slices"
	"time"
)

// second is how long windows take a second to be, in nanoseconds: with some slack,
// because what is due may be let out late by the system, and what comes after it
// in time.
const second = int64(time.Second + 50*time.Millisecond)

// window holds the moments of packets, and that any second has at most limit of
// them. Zero or less is no limit; nil is a window that holds nothing yet.
type window struct {
	limit int
	times []int64 // ascending from first on, the ones before it forgotten
	first int
}

// fit returns the first moment, at or later, that a packet may have, or one
// after last when there is none until then.
//
// The second that begins with one of the moments is full when the limit-th from
// there lies in it. A moment that would be in a full second, or fill one from
// before it beyond the limit, may be no earlier than the end of the second that
// began with the earliest of those limit: everything until then has the same
// fault. So it is the end of the latest such second that is tried next.
func (w *window) fit(at, last int64) int64 {
	if w == nil || w.limit <= 0 {
		return at
	}
	times := w.times[w.first:]
	for at <= last {
		i := w.clash(times, at)
		if i < 0 {
			break
		}
		at = times[i] + second
	}
	return at
}

// clash returns where the latest run of limit moments begins that are, together
// with at, less than a second apart; -1: there is none.
func (w *window) clash(times []int64, at int64) int {
	after := above(times, at)
	for i := min(after, len(times)-w.limit); i >= max(0, after-w.limit); i-- {
		if max(times[i+w.limit-1], at)-min(times[i], at) < second {
			return i
		}
	}
	return -1
}

// above returns how many of times are at or before at. Mostly it is all.
func above(times []int64, at int64) int {
	if n := len(times); n == 0 || times[n-1] <= at {
		return n
	}
	i, _ := slices.BinarySearch(times, at+1)
	return i
}

// take puts a packet at a moment that fit gave.
func (w *window) take(at int64) {
	if w == nil || w.limit <= 0 {
		return
	}
	i := w.first + above(w.times[w.first:], at)
	w.times = slices.Insert(w.times, i, at)
}

// release gives back a moment that was taken and is not used.
func (w *window) release(at int64) {
	if w == nil {
		return
	}
	if i, ok := slices.BinarySearch(w.times[w.first:], at); ok {
		w.times = slices.Delete(w.times, w.first+i, w.first+i+1)
	}
}

// forget drops the moments up to past. It moves what it keeps no oftener than
// it has dropped as much.
func (w *window) forget(past int64) {
	for w.first < len(w.times) && w.times[w.first] <= past {
		w.first++
	}
	if w.first > 0 && w.first >= len(w.times)-w.first {
		n := copy(w.times, w.times[w.first:])
		w.times, w.first = w.times[:n], 0
	}
}

// lanes are windows by address. Those that hold nothing any more are forgotten
// as time goes by: each call looks at a few, so that no call looks at all.
type lanes struct {
	limit int // of each window
	index map[netip.Addr]int
	all   []lane
	hand  int // the lane that sweep looks at next
}

type lane struct {
	addr netip.Addr
	window
}

// find returns the window of an address without what lies up to past; nil when
// nothing is known of it.
func (l *lanes) find(addr netip.Addr, past int64) *window {
	i, ok := l.index[addr]
	if !ok {
		return nil
	}
	l.all[i].forget(past)
	return &l.all[i].window
}

// take puts a packet for addr at a moment that its window gave.
func (l *lanes) take(addr netip.Addr, at int64) {
	if l.limit <= 0 {
		return
	}
	i, ok := l.index[addr]
	if !ok {
		i = l.add(addr)
	}
	l.all[i].take(at)
}

// add makes a window and returns its place, with the room of one that was dropped if there is any.
func (l *lanes) add(addr netip.Addr) int {
	if l.index == nil {
		l.index = make(map[netip.Addr]int)
	}
	n := len(l.all)
	if n < cap(l.all) {
		l.all = l.all[:n+1]
	} else {
		l.all = append(l.all, lane{})
	}
	l.index[addr] = n
	l.all[n] = lane{addr, window{limit: l.limit, times: l.all[n].times[:0]}}
	return n
}

// sweeps is how many lanes a call looks at. Each call adds one at most, so there
// are hardly more than 4/3 of those that had a packet within a second or wait.
const sweeps = 4

// sweep drops lanes with nothing after past, of the next few.
func (l *lanes) sweep(past int64) {
	for range min(sweeps, len(l.all)) {
		if l.hand >= len(l.all) {
			l.hand = 0
		}
		l.all[l.hand].forget(past)
		if len(l.all[l.hand].times) > 0 {
			l.hand++
			continue
		}
		l.drop(l.hand)
	}
}

// drop puts the last lane in the place of lane i.
func (l *lanes) drop(i int) {
	n := len(l.all) - 1
	delete(l.index, l.all[i].addr)
	if i < n {
		l.all[i], l.all[n] = l.all[n], l.all[i]
		l.index[l.all[i].addr] = i
	}
	l.all[n].addr = netip.Addr{}
	l.all = l.all[:n]
}
