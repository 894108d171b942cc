package dataset

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// A file of rows is a head and frames, which are only ever appended:
//
//	head    8 magic "LDHTrows"   1 version   1 sort   16 run   6 stands for
//	frame   4 magic   4 length of the body   4 checksum   body
//	body    8 time, microseconds since 1970   rows
//
// Numbers have their lowest byte first. A sorted file of one log stands for so many
// bytes of that, its highest bit saying that the log may grow (see mayGrow); in
// others it is zero. Whatever is no whole frame is passed over
// until the next one: of a file that was torn or spoilt, all that is whole can
// be read. The checksum is the CRC-32C of length and body, XORed with that of the run's
// name, which nobody else knows: a client version that looks like a frame is none.
const (
	headMagic  = "LDHTrows"
	headSize   = 32
	version    = 1 // of the form of files
	frameMagic = 0x66f5c3d7
	frameHead  = 12
	frameTime  = 8
	frameWant  = 64 << 10  // bytes of rows after which a frame is ended
	frameMost  = 256 << 10 // none is longer: a row has less than 100 kB
)

// fileSort is what rows a file has.
type fileSort byte

const (
	sortTallies fileSort = 1 + iota // tallies, in order of time
	sortSorted                      // tallies, in order of their contacts, each once
	sortRows                        // rows of all other kinds
)

func appendHead(b []byte, sort fileSort, run RunID) []byte {
	b = append(append(b, headMagic...), version, byte(sort))
	b = append(b, run[:]...)
	return append(b, make([]byte, headSize-len(headMagic)-2-len(run))...)
}

// standsFor is where a head tells that, in six bytes.
const standsFor = headSize - 6

// putStandsFor fills it in.
func putStandsFor(head []byte, bytes int64) {
	for i := range 6 {
		head[standsFor+i] = byte(bytes >> (8 * i))
	}
}

func getStandsFor(head []byte) (bytes int64) {
	for i := range 6 {
		bytes |= int64(head[standsFor+i]) << (8 * i)
	}
	return bytes
}

// errNewer is about what a newer program has written.
var errNewer = errors.New("written by a newer lightdht: read it with that one")

// errHead is about a file that does not begin with a head.
var errHead = errors.New("its head is torn or spoilt")

// errSort is about a file under the name of another one.
var errSort = errors.New("has rows of another sort than its name says")

// checkHead says what is wrong with the head of a file.
func checkHead(b []byte, sort fileSort) error {
	switch {
	case len(b) < headSize || string(b[:len(headMagic)]) != headMagic:
		return errHead
	case b[len(headMagic)] > version:
		return errNewer
	case fileSort(b[len(headMagic)+1]) != sort:
		return errSort
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seedOf is what checksums of a run are XORed with.
func seedOf(run RunID) uint32 { return crc32.Checksum(run[:], castagnoli) }

// beginFrame appends the head of a frame; endFrame, given where that is, fills
// it in.
func beginFrame(b []byte, at Stamp) []byte {
	b = append(b, make([]byte, frameHead)...)
	return binary.LittleEndian.AppendUint64(b, uint64(at))
}

func endFrame(b []byte, from int, seed uint32) {
	frame := b[from:]
	binary.LittleEndian.PutUint32(frame, frameMagic)
	binary.LittleEndian.PutUint32(frame[4:], uint32(len(frame)-frameHead))
	binary.LittleEndian.PutUint32(frame[8:], frameCRC(frame)^seed)
}

// frameCRC is the CRC of length and body of a whole frame.
func frameCRC(frame []byte) uint32 {
	return crc32.Update(crc32.Checksum(frame[4:8], castagnoli), castagnoli, frame[frameHead:])
}

// gap is bytes of a file that are no whole frame.
type gap struct{ at, size int64 }

// String says where they are.
func (g gap) String() string { return fmt.Sprintf("%d bytes at %d are no whole frame", g.size, g.at) }

// frames reads the frames of a file from end to end.
type frames struct {
	r    io.ReaderAt
	at   int64  // where the next frame is
	size int64  // of the file, as far as it is to be read
	seed uint32 // of the run
	buf  []byte
	gaps []gap

	search *search // of the last gap; nil: none
}

// next returns the time and the rows of the next frame; io.EOF after the last
// one. They are valid until it is called again.
func (f *frames) next() (base Stamp, rows []byte, err error) {
	for {
		frame, err := f.frame()
		switch {
		case err == errGap:
			if err := f.resync(); err != nil {
				return 0, nil, err
			}
		case err != nil || frame == nil:
			return 0, nil, err
		default:
			body := frame[frameHead:]
			return Stamp(binary.LittleEndian.Uint64(body)), body[frameTime:], nil
		}
	}
}

var errGap = errors.New("no whole frame")

// frame reads the next frame.
func (f *frames) frame() ([]byte, error) {
	if f.at >= f.size {
		return nil, io.EOF
	}
	head, err := f.read(f.at, frameHead)
	if err != nil {
		return nil, err
	}
	length, ok := frameLength(head)
	if !ok || f.at+length > f.size {
		return nil, errGap
	}
	frame, err := f.read(f.at, int(length))
	switch {
	case err != nil:
		return nil, err
	case int64(len(frame)) < length || binary.LittleEndian.Uint32(frame[8:]) != frameCRC(frame)^f.seed:
		return nil, errGap
	}
	f.at += length
	return frame, nil
}

// seek goes on to the last frame of which the first row is not beyond, as its
// first bytes tell: before that nothing is sought. Of a file with gaps it goes
// no farther than the first, and nowhere when it would end at one: what the bytes
// there tell is not to be believed.
func (f *frames) seek(peek int, beyond func(rows []byte) bool) error {
	begin, last := f.at, f.at
	for at := f.at; at < f.size; {
		head, err := f.read(at, frameHead+frameTime+peek)
		if err != nil {
			return err
		}
		length, ok := frameLength(head)
		if !ok || beyond(head[min(len(head), frameHead+frameTime):]) {
			break
		}
		last = at
		at += length
	}
	if f.wholeAt(last) {
		f.at = last
	} else {
		f.at = begin
	}
	return nil
}

// frameLength returns the length of the frame that begins with head; false when
// none does.
func frameLength(head []byte) (int64, bool) {
	if len(head) < frameHead || binary.LittleEndian.Uint32(head) != frameMagic {
		return 0, false
	}
	body := binary.LittleEndian.Uint32(head[4:])
	return frameHead + int64(body), body >= frameTime && body <= frameMost
}

// read returns n bytes of the file at an offset, fewer at its end.
func (f *frames) read(at int64, n int) ([]byte, error) {
	if n > cap(f.buf) {
		f.buf = make([]byte, max(n, 2*cap(f.buf), 2*frameWant))
	}
	got, err := f.r.ReadAt(f.buf[:min(int64(n), f.size-at)], at)
	if err == io.EOF {
		err = nil
	}
	return f.buf[:got], err
}

// pass notes that the frame just read is none, and what follows from: nothing, or
// what was passed over on the way to it.
func (f *frames) pass(from int64) {
	if n := len(f.gaps); n > 0 && f.gaps[n-1].at == from {
		f.gaps[n-1].size = f.at - from
		return
	}
	f.gaps = append(f.gaps, gap{from, f.at - from})
}

// wholeAt reports whether there is a whole frame.
func (f *frames) wholeAt(at int64) bool {
	probe := frames{r: f.r, at: at, size: f.size, seed: f.seed}
	_, err := probe.frame()
	return err == nil
}

// framer puts rows into frames.
type framer struct {
	buf  []byte
	from int // where the frame that is open begins; -1: none is
	base Stamp
	seed uint32
}

func newFramer(run RunID) *framer { return &framer{from: -1, seed: seedOf(run)} }

// open makes sure that there is a frame to add to, and returns its time: that of
// its first row.
func (w *framer) open(at Stamp) Stamp {
	if w.from < 0 {
		w.from, w.base = len(w.buf), at
		w.buf = beginFrame(w.buf, at)
	}
	return w.base
}

// settle ends the open frame when it is long enough, or at once.
func (w *framer) settle(now bool) {
	if w.from >= 0 && (now || len(w.buf)-w.from >= frameWant) {
		endFrame(w.buf, w.from, w.seed)
		w.from = -1
	}
}

// take returns the frames there are, all ended, and goes on in another buffer.
func (w *framer) take(other []byte) []byte {
	w.settle(true)
	full := w.buf
	w.buf = other[:0]
	return full
}
