package dataset

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"math/bits"
)

// Where a file is spoilt, each place at which a frame might begin is looked at,
// and what follows may look like frames as often as somebody likes: client versions
// and methods are what others told. So the checksum of a frame is not counted anew
// for each, but taken from those of all that comes before its ends.

// search is a window of a file in which frames are looked for.
type search struct {
	at   int64 // where in the file it begins
	buf  []byte
	end  bool     // of the file, too
	sums []uint32 // checksums of its first 0, sumStep, 2·sumStep, … bytes
}

const (
	searchHalf = frameHead + frameMost
	sumStep    = 512
)

// frameMagicBytes are the first bytes of each frame.
var frameMagicBytes = binary.LittleEndian.AppendUint32(nil, frameMagic)

// resync goes on to the next frame that is whole, and notes what it passed over.
func (f *frames) resync() error {
	from := f.at
	for at := from + 1; at < f.size; {
		w, err := f.window(at)
		if err != nil {
			return err
		}
		if len(w.buf) == 0 {
			break // the file has become shorter
		}
		i, found := w.find(int(at-w.at), f.seed)
		at = w.at + int64(i)
		if found {
			f.at = at
			f.gaps = append(f.gaps, gap{from, at - from})
			return nil
		}
	}
	f.at, f.search = f.size, nil
	f.gaps = append(f.gaps, gap{from, f.size - from})
	return io.EOF
}

// window returns a window with a place in its first half, or in its second one when
// the file ends there.
func (f *frames) window(at int64) (*search, error) {
	w := f.search
	if w == nil {
		w = &search{}
		f.search = w
	} else if i := at - w.at; 0 <= i && (i < searchHalf || w.end && i < int64(len(w.buf))) {
		return w, nil
	}
	size := min(2*searchHalf, f.size-at)
	if int64(cap(w.buf)) < size {
		w.buf = make([]byte, size)
	}
	n, err := f.r.ReadAt(w.buf[:size], at)
	if err != nil && err != io.EOF {
		return nil, err
	}
	w.at, w.buf, w.end = at, w.buf[:n], at+int64(n) == f.size
	w.sums = append(w.sums[:0], 0)
	for rest := w.buf; len(rest) >= sumStep; rest = rest[sumStep:] {
		w.sums = append(w.sums, crc32.Update(w.sums[len(w.sums)-1], castagnoli, rest[:sumStep]))
	}
	return w, nil
}

// find returns the place of the first whole frame from i on, or one up to which
// there is none.
func (w *search) find(i int, seed uint32) (int, bool) {
	for {
		next := bytes.Index(w.buf[i:], frameMagicBytes)
		if next < 0 && !w.end {
			return max(len(w.buf)-len(frameMagicBytes)+1, i+1), false // where one may begin
		} else if next < 0 {
			return len(w.buf), false
		}
		i += next
		if i >= searchHalf && !w.end {
			return i, false
		}
		if w.whole(i, seed) {
			return i, true
		}
		i++
	}
}

// whole reports whether there is a whole frame.
func (w *search) whole(at int, seed uint32) bool {
	head := w.buf[at:]
	length, ok := frameLength(head)
	if !ok || length > int64(len(head)) {
		return false
	}
	before := w.sum(at+frameHead) ^ crc32.Checksum(head[4:8], castagnoli)
	body := int(length) - frameHead
	return w.sum(at+int(length))^shifted(before, body)^seed == binary.LittleEndian.Uint32(head[8:])
}

// sum returns the checksum of the first n bytes.
func (w *search) sum(n int) uint32 {
	step := n / sumStep
	return crc32.Update(w.sums[step], castagnoli, w.buf[step*sumStep:n])
}

// A checksum is a polynomial over bits, the lowest power in the highest bit, modulo
// that of Castagnoli. That of a text and n bytes more is the text's, times x to the
// power of 8n, plus that of the bytes.

// shifted returns sum times x to the power of 8n.
func shifted(sum uint32, n int) uint32 {
	for ; n > 0; n &= n - 1 {
		sum = times(sum, powers[bits.TrailingZeros(uint(n))])
	}
	return sum
}

// powers are x to the powers of 8, 16, 32, …
var powers = func() (p [32]uint32) {
	p[0] = 1 << (31 - 8)
	for i := range p[1:] {
		p[i+1] = times(p[i], p[i])
	}
	return p
}()

// times multiplies two polynomials.
func times(a, b uint32) (product uint32) {
	for ; a != 0; a <<= 1 {
		if a>>31 != 0 {
			product ^= b
		}
		b = b>>1 ^ crc32.Castagnoli&-(b&1)
	}
	return product
}
