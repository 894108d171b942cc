package dataset

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
)

// Stamp is a time in microseconds since 1970, UTC; 0 is never. There is none before
// 1970 or after the year 9999, which manifests could not tell.
type Stamp int64

const lastStamp Stamp = 253402300799_999999 // the end of the year 9999

// StampOf returns t, or the nearest that there is; the zero time is never.
func StampOf(t time.Time) Stamp {
	if t.IsZero() {
		return 0
	}
	switch sec := t.Unix(); {
	case sec < 0:
		return 1
	case sec > int64(lastStamp)/1e6:
		return lastStamp
	default:
		return Stamp(t.UnixMicro()).sometime()
	}
}

// sometime returns s, or the first moment there is when it is never.
func (s Stamp) sometime() Stamp { return max(s, 1) }

// Time returns s in UTC; of never, the zero time.
func (s Stamp) Time() time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(s)).UTC()
}

// How rows are written: fields one after the other. Numbers are varints (zigzag
// where they may be negative), texts begin with their length, an ID is 20 bytes,
// an address its length (0, 4 or 16), itself, and its port in two bytes.

func appendUint(b []byte, n uint64) []byte { return binary.AppendUvarint(b, n) }

// appendSmall appends what small reads: what is beyond becomes the nearest.
func appendSmall(b []byte, n int) []byte { return appendUint(b, uint64(min(max(n, 0), math.MaxInt32))) }

func appendInt(b []byte, n int64) []byte { return binary.AppendVarint(b, n) }

func appendText[T ~string | ~[]byte](b []byte, s T) []byte {
	return append(appendUint(b, uint64(len(s))), s...)
}

func appendFloat(b []byte, f float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
}

func appendAddr(b []byte, a netip.AddrPort) []byte {
	ip := a.Addr().AsSlice()
	b = append(append(b, byte(len(ip))), ip...)
	return binary.LittleEndian.AppendUint16(b, a.Port())
}

func appendNode(b []byte, n kad.NodeInfo) []byte { return appendAddr(append(b, n.ID[:]...), n.Addr) }

func appendTarget(b []byte, t record.Target) []byte {
	return append(append(b, bit(t.Infohash)), t.ID[:]...)
}

func bit(is bool) byte {
	if is {
		return 1
	}
	return 0
}

// errRow is about a row that is not what was ever written. It has a checksum, so
// a newer program wrote it, or a wrong one.
var errRow = errors.New("a row that this program does not understand")

// fields reads what the functions above wrote. After the first thing that is
// wrong everything is zero, and bad is set.
type fields struct {
	b   []byte
	bad bool
}

func (f *fields) fail() { f.b, f.bad = nil, true }

// take returns the next n bytes, which belong to the row; nil when it has fewer.
func (f *fields) take(n uint64) []byte {
	if n > uint64(len(f.b)) {
		f.fail()
		return nil
	}
	head := f.b[:n:n]
	f.b = f.b[n:]
	return head
}

func (f *fields) uint() uint64 {
	if len(f.b) > 0 && f.b[0] < 0x80 {
		n := uint64(f.b[0])
		f.b = f.b[1:]
		return n
	}
	n, size := binary.Uvarint(f.b)
	if size <= 0 {
		f.fail()
		return 0
	}
	f.b = f.b[size:]
	return n
}

// count is uint of what fits 32 bits.
func (f *fields) count() uint32 {
	n := f.uint()
	if n > math.MaxUint32 {
		f.fail()
		return 0
	}
	return uint32(n)
}

// small is uint of what is an int, and no length that memory is taken for.
func (f *fields) small() int {
	n := f.uint()
	if n > math.MaxInt32 {
		f.fail()
		return 0
	}
	return int(n)
}

func (f *fields) int() int64 {
	n := f.uint()
	return int64(n>>1) ^ -int64(n&1)
}

func (f *fields) stamp() Stamp { return Stamp(f.int()) }

func (f *fields) time() time.Time { return f.stamp().Time() }

func (f *fields) text() []byte { return f.take(f.uint()) }

func (f *fields) byte() byte {
	if b := f.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (f *fields) bool() bool { return f.byte() == 1 }

func (f *fields) float() float64 {
	if b := f.take(8); b != nil {
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
	return 0
}

func (f *fields) id() (id kad.ID) {
	copy(id[:], f.take(kad.Size))
	return id
}

func (f *fields) port() uint16 {
	if b := f.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (f *fields) addr() netip.AddrPort {
	size := f.byte()
	if size != 0 && size != 4 && size != 16 {
		f.fail()
	}
	ip, _ := netip.AddrFromSlice(f.take(uint64(size)))
	port := f.port()
	if f.bad {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ip, port)
}

func (f *fields) node() kad.NodeInfo { return kad.NodeInfo{ID: f.id(), Addr: f.addr()} }

func (f *fields) target() record.Target {
	infohash := f.bool()
	return record.Target{ID: f.id(), Infohash: infohash}
}
