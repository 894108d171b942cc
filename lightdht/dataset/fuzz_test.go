package dataset

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/lightdht/lightdht/lightdht/record"
)

// A tally that is read from any bytes comes back from what it is written as.
func FuzzTally(f *testing.F) {
	w := newWorld(1, 20)
	for range 20 {
		var t Tally
		t.Node = w.node()
		for range w.IntN(9) {
			s := w.sighting()
			t.add(s, string(s.Version))
		}
		f.Add(t.append(nil, 5), int64(5))
	}
	f.Fuzz(func(t *testing.T, b []byte, base int64) {
		var first, again Tally
		in := fields{b: b}
		if first.read(&in, Stamp(base), &names{}); in.bad || first.Last != 0 && first.Last < first.First {
			return
		}
		written := first.append(nil, 7)
		in = fields{b: written}
		again.read(&in, 7, &names{})
		if in.bad || len(in.b) > 0 || !sameButEmpty(first, again) {
			t.Errorf("%+v\nbecame %+v", first, again)
		}
	})
}

// sameButEmpty compares tallies but for counts of what never was, which are not kept.
func sameButEmpty(a, b Tally) bool {
	for _, t := range []*Tally{&a, &b} {
		if t.Reply == 0 {
			t.RTT, t.Replies = 0, 0
		}
		if t.Query == 0 {
			t.Queries = 0
		}
		if t.Failure == 0 {
			t.Failures, t.InRow = 0, 0
		}
	}
	return a == b
}

// A row that is read from any bytes comes back from what it is written as.
func FuzzRow(f *testing.F) {
	w := newWorld(2, 20)
	for range 10 {
		for _, row := range append(w.rowsFor(), w.sighting()) {
			f.Add(byte(row.Kind()), appendFields(nil, row))
		}
	}
	f.Fuzz(func(t *testing.T, kind byte, b []byte) {
		in := fields{b: b}
		row := readRow(record.Kind(kind), &in, &names{})
		if in.bad || row == nil {
			return
		}
		written := appendFields(nil, row)
		in = fields{b: written}
		again := readRow(record.Kind(kind), &in, &names{})
		if in.bad || len(in.b) > 0 {
			t.Fatalf("%+v cannot be read again", row)
		}
		if third := appendFields(nil, again); !bytes.Equal(third, written) {
			t.Errorf("%+v\nbecame %+v", row, again)
		}
	})
}

// Whatever a file has, its frames and its gaps are all of it, once and in order.
func FuzzFrames(f *testing.F) {
	one, two := endedFrame("one"), endedFrame("two rows")
	f.Add(append(one, two...))
	f.Add(append(append([]byte("junk"), one[:9]...), two...))
	f.Add(append(bytes.Repeat(frameMagicBytes, 5), two...))
	f.Fuzz(func(t *testing.T, b []byte) {
		in := frames{r: bytes.NewReader(b), size: int64(len(b))}
		at, gaps := int64(0), 0
		for {
			_, rows, err := in.next()
			if err != nil && err != io.EOF {
				t.Fatal(err)
			}
			for ; gaps < len(in.gaps); gaps++ {
				if g := in.gaps[gaps]; g.at != at || g.size <= 0 {
					t.Fatalf("a gap %v at %d", g, at)
				}
				at += in.gaps[gaps].size
			}
			if err == io.EOF {
				break
			}
			at += frameHead + frameTime + int64(len(rows))
		}
		if at != int64(len(b)) {
			t.Errorf("%d of %d bytes", at, len(b))
		}
	})
}

// Whatever stands in a manifest, reading it does not panic, and what it is read as
// can be written and is the same then.
func FuzzManifest(f *testing.F) {
	s := newStore(f)
	r := begin(f, s, Settings{})
	finish(f, r)
	valid, err := os.ReadFile(filepath.Join(r.dir, manifestFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(valid)
	f.Add([]byte(`{"format":1,"start":"2026-11-20T00:00:00Z","rows":{"visits":18446744073709551615}}`))
	f.Add([]byte(`{"format":2}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m, again Manifest
		if readJSON("manifest.json", b, &m) != nil {
			return
		}
		name := filepath.Join(t.TempDir(), manifestFile)
		if err := writeJSON(name, m); err != nil {
			t.Fatal(err)
		}
		written, err := os.ReadFile(name)
		if err == nil {
			err = readJSON(name, written, &again)
		}
		if err != nil || fmt.Sprintf("%+v", m) != fmt.Sprintf("%+v", again) {
			t.Errorf("%+v\nbecame %+v: %v", m, again, err)
		}
	})
}
