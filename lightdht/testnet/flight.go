package testnet

import (
	"container/heap"
	"net/netip"
	"time"
)

// sky holds the packets that are under way, and one timer for the next of them
// to arrive. It has no goroutine, so nothing needs closing.
type sky struct {
	flights flights
	sent    uint64 // packets that were ever under way
	timer   *time.Timer
}

// flight is a packet under way.
type flight struct {
	due      time.Time
	number   uint64 // in the order of sending, for those that arrive together
	from, to netip.AddrPort
	b        []byte
}

// launch has a packet arrive after a delay, at once when it is not above 0. It
// takes b. The caller holds m.mu.
func (m *Memory) launch(from, to netip.AddrPort, b []byte, delay time.Duration) {
	if delay <= 0 {
		m.arrive(from, to, b)
		return
	}
	f := &flight{time.Now().Add(delay), m.sky.sent, from, to, b}
	m.sky.sent++
	heap.Push(&m.sky.flights, f)
	if m.sky.flights[0] == f {
		m.wakeIn(delay)
	}
}

// wakeIn sets the timer.
func (m *Memory) wakeIn(d time.Duration) {
	if m.sky.timer == nil {
		m.sky.timer = time.AfterFunc(d, m.land)
	} else {
		m.sky.timer.Reset(d)
	}
}

// land has those arrive whose time has come.
func (m *Memory) land() {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	for len(m.sky.flights) > 0 {
		next := m.sky.flights[0]
		if next.due.After(now) {
			m.wakeIn(next.due.Sub(now))
			return
		}
		heap.Pop(&m.sky.flights)
		m.arrive(next.from, next.to, next.b)
	}
}

// flights is a heap, the next to arrive on top.
type flights []*flight

// Len, Less, Swap, Push and Pop make it a heap.Interface.
func (f flights) Len() int { return len(f) }

// Less orders by time of arrival, then by number.
func (f flights) Less(i, j int) bool {
	if c := f[i].due.Compare(f[j].due); c != 0 {
		return c < 0
	}
	return f[i].number < f[j].number
}

// Swap exchanges two.
func (f flights) Swap(i, j int) { f[i], f[j] = f[j], f[i] }

// Push appends one.
func (f *flights) Push(x any) { *f = append(*f, x.(*flight)) }

// Pop removes the last one.
func (f *flights) Pop() any {
	old := *f
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*f = old[:len(old)-1]
	return last
}
