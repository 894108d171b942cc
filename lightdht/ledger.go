package lightdht

import (
	"iter"
	"net/netip"
	"sync"
	"time"
)

// Ledger counts the packets between a node and each IP address, so that it can
// be shown to anybody who asks what we sent them. It has room for a number of
// addresses and takes no others then; those it has are kept on. A nil Ledger
// keeps nothing, and the zero Ledger has no room: nodes make them (Limits.Ledger).
// It may be used by several goroutines.
//
// An address takes about 150 bytes, none of which the garbage collector looks at.
type Ledger struct {
	max int

	mu     sync.Mutex
	epoch  time.Time               // the first time told, whose monotonic clock the peaks are counted by
	index  map[[16]byte]uint32     // positions
	chunks []*[ledgerChunk]account // by position, all full but the last
	most   uint32                  // the position of the highest peak
}

// LedgerEntry is what passed between us and one IP address. Bytes are UDP
// payload; a packet counts when it was handed to the system or taken from it.
type LedgerEntry struct {
	Addr       netip.Addr // IPv6 without its zone
	PacketsOut uint64
	BytesOut   uint64
	PacketsIn  uint64
	BytesIn    uint64

	// The most packets sent to it within any one second. It is exact below
	// MaxPeak, which stands for so many or more.
	PeakOut int

	FirstSeen time.Time // the first packet in either direction, by the wall clock
	LastSeen  time.Time // the latest
}

// MaxPeak is as far as a Ledger counts the packets within a second.
const MaxPeak = 8

const ledgerChunk = 1 << 10

// account is a LedgerEntry without pointers, and the latest packets sent.
type account struct {
	addr                 [16]byte // IPv4 as IPv4-mapped
	packetsOut, bytesOut uint64
	packetsIn, bytesIn   uint64
	firstSeen, lastSeen  int64           // Unix nanoseconds
	recent               [MaxPeak]uint32 // moments sent at, ascending, modulo 4.3 s
	lastOut              uint32          // the second of the latest, since the epoch
	peak, recents        uint8
}

// newLedger makes a ledger with room for max addresses; nil for none.
func newLedger(max int) *Ledger {
	if max <= 0 {
		return nil
	}
	return &Ledger{max: max, index: make(map[[16]byte]uint32)}
}

// Out counts a packet sent to addr. It reports false when the ledger does not
// have that address and no room for it.
func (l *Ledger) Out(now time.Time, addr netip.Addr, size int) bool {
	if l == nil {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	r, i := l.meet(now, addr)
	if r == nil {
		return false
	}
	r.packetsOut++
	r.bytesOut += uint64(size)
	r.sent(now.Sub(l.epoch))
	if r.peak > l.at(l.most).peak {
		l.most = i
	}
	return true
}

// In counts a packet received from addr, as Out does.
func (l *Ledger) In(now time.Time, addr netip.Addr, size int) bool {
	if l == nil {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	r, _ := l.meet(now, addr)
	if r == nil {
		return false
	}
	r.packetsIn++
	r.bytesIn += uint64(size)
	return true
}

// meet returns the account of an address and its position, nil when there is no
// room for a new one.
func (l *Ledger) meet(now time.Time, addr netip.Addr) (*account, uint32) {
	key, wall := addr.As16(), now.UnixNano()
	i, ok := l.index[key]
	if !ok {
		i = uint32(len(l.index))
		if int64(i) >= int64(l.max) {
			return nil, 0
		}
		if i == 0 {
			l.epoch = now
		}
		if i%ledgerChunk == 0 {
			l.chunks = append(l.chunks, new([ledgerChunk]account))
		}
		l.index[key] = i
		*l.at(i) = account{addr: key, firstSeen: wall, lastSeen: wall}
	}
	r := l.at(i)
	r.firstSeen, r.lastSeen = min(r.firstSeen, wall), max(r.lastSeen, wall)
	return r, i
}

func (l *Ledger) at(i uint32) *account { return &l.chunks[i/ledgerChunk][i%ledgerChunk] }

// sent counts a packet in the second that ends with it. Its moment is kept
// modulo 2^32 ns, which is unambiguous because moments are only compared when
// the latest is less than two seconds old.
func (r *account) sent(at time.Duration) {
	now, t := uint32(max(at, 0)/time.Second), uint32(max(at, 0))
	if now > r.lastOut+1 {
		r.recents = 0
	}
	if n := r.recents; n > 0 && (now < r.lastOut || int32(t-r.recent[n-1]) < 0) {
		now, t = r.lastOut, r.recent[n-1] // told in another order: as late as the latest
	}
	old := 0
	for old < int(r.recents) && t-r.recent[old] >= uint32(time.Second) {
		old++
	}
	if old == 0 && r.recents == MaxPeak {
		old = 1
	}
	n := copy(r.recent[:], r.recent[old:r.recents])
	r.recent[n] = t
	r.recents, r.lastOut = uint8(n+1), now
	r.peak = max(r.peak, r.recents)
}

func (r *account) entry() LedgerEntry {
	return LedgerEntry{
		Addr:       netip.AddrFrom16(r.addr).Unmap(),
		PacketsOut: r.packetsOut, BytesOut: r.bytesOut,
		PacketsIn: r.packetsIn, BytesIn: r.bytesIn,
		PeakOut:   int(r.peak),
		FirstSeen: time.Unix(0, r.firstSeen), LastSeen: time.Unix(0, r.lastSeen),
	}
}

// Len returns how many addresses there are.
func (l *Ledger) Len() int {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.index)
}

// Most returns the entry with the highest PeakOut, the one that reached it first
// among equals. The zero LedgerEntry: there is none.
func (l *Ledger) Most() LedgerEntry {
	if l == nil {
		return LedgerEntry{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.index) == 0 {
		return LedgerEntry{}
	}
	return l.at(l.most).entry()
}

// All yields every entry, in the order that the addresses were first met. What
// is counted meanwhile may be in it or not; the loop may use the ledger.
func (l *Ledger) All() iter.Seq[LedgerEntry] {
	return func(yield func(LedgerEntry) bool) {
		var some [64]LedgerEntry
		for from := 0; ; from += len(some) {
			n := l.copy(some[:], from)
			for _, e := range some[:n] {
				if !yield(e) {
					return
				}
			}
			if n < len(some) {
				return
			}
		}
	}
}

// copy copies the entries from a position on, and returns how many there were.
func (l *Ledger) copy(dst []LedgerEntry, from int) int {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(dst), max(0, len(l.index)-from))
	for i := range n {
		dst[i] = l.at(uint32(from + i)).entry()
	}
	return n
}
