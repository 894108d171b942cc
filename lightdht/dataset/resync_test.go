package dataset

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"testing"
)

// hostile makes files in which everything looks like the beginning of a frame.
func hostile(size int) map[string][]byte {
	magic := binary.LittleEndian.AppendUint32(nil, frameMagic)
	long := append(magic[:4:4], 0, 0, 4, 0, 1, 2, 3, 4) // frames of the greatest length
	short := append(magic[:4:4], 8, 0, 0, 0, 1, 2, 3, 4)
	files := map[string][]byte{}
	for name, unit := range map[string][]byte{"magics": magic, "long": long, "short": short, "zeros": {0}} {
		files[name] = append(appendHead(nil, sortTallies, RunID{}), bytes.Repeat(unit, size/len(unit))...)
	}
	return files
}

// counted counts what is read.
type counted struct {
	*bytes.Reader
	read int
}

func (c *counted) ReadAt(b []byte, at int64) (int, error) {
	n, err := c.Reader.ReadAt(b, at)
	c.read += n
	return n, err
}

// What is passed over is read a few times at most, whatever it looks like.
func TestHostileFilesAreReadThrough(t *testing.T) {
	whole := endedFrame("whole")
	for name, file := range hostile(4 << 20) {
		file = append(file, whole...)
		in := &counted{Reader: bytes.NewReader(file)}
		f := frames{r: in, at: headSize, size: int64(len(file))}
		_, rows, err := f.next()
		if err != nil || string(rows) != "whole" || len(f.gaps) != 1 || f.gaps[0].size != int64(len(file)-len(whole)-headSize) {
			t.Errorf("%s: %q, %v, %v", name, rows, err, f.gaps)
		}
		if in.read > 4*len(file) {
			t.Errorf("%s: of %d bytes %d were read", name, len(file), in.read)
		}
	}
}

// A frame after any bytes is found wherever it is, and no other.
func TestFramesAreFound(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 1))
	for range fewer(300) {
		var file []byte
		var want []string
		for range rng.IntN(5) {
			junk := make([]byte, rng.IntN(1+[]int{3, 700, 2 * searchHalf}[rng.IntN(3)]))
			for i := range min(len(junk), 3000) {
				junk[i] = byte(rng.Uint32())
			}
			file = append(file, junk...)
			rows := string(make([]byte, 1+rng.IntN([]int{5, 5000, frameMost - frameTime}[rng.IntN(3)])))
			want = append(want, rows)
			file = append(file, endedFrame(rows)...)
		}
		f := frames{r: bytes.NewReader(file), size: int64(len(file))}
		for n := 0; ; n++ {
			_, rows, err := f.next()
			if err == io.EOF && n == len(want) {
				break
			}
			if err != nil || n == len(want) || string(rows) != want[n] {
				t.Fatalf("frame %d of %d: %d bytes, %v", n, len(want), len(rows), err)
			}
		}
	}
}

// The checksum of bytes is what it is, be it taken from those of others.
func TestShiftedSums(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 1))
	for range 200 {
		text := make([]byte, rng.IntN(3000))
		for i := range text {
			text[i] = byte(rng.Uint32())
		}
		at := rng.IntN(len(text) + 1)
		a, b := crc32.Checksum(text[:at], castagnoli), crc32.Checksum(text[at:], castagnoli)
		if got, want := shifted(a, len(text)-at)^b, crc32.Checksum(text, castagnoli); got != want {
			t.Fatalf("%d bytes, %d: %x, want %x", len(text), at, got, want)
		}
	}
}

func endedFrame(rows string) []byte {
	b := append(beginFrame(nil, 1), rows...)
	endFrame(b, 0, 0)
	return b
}
