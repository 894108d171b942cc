package dataset

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/table"
)

// died makes a store with a run whose process died without ending it: with files of
// all sorts.
func died(t testing.TB, w *world, sightings int) (*Store, RunID) {
	t.Helper()
	from, to := newStore(t), newStore(t)
	r := begin(t, from, Settings{FlushEvery: time.Hour, segment: int64(3000 + w.IntN(3000)), Good: func() (good []table.Contact) {
		for _, n := range w.nodes[:20] {
			good = append(good, table.Contact{ID: n.ID, Addr: n.Addr, FirstSeen: w.now, LastSeen: w.now, LastReply: w.now, Replies: 1})
		}
		return good
	}})
	for i := range sightings {
		r.Record(w.sighting())
		if i%4 == 0 {
			r.Record(&record.Query{Time: w.tick(), Node: w.node(), Method: "ping", Size: i})
		}
		if w.IntN(25) == 0 {
			r.Flush()
		}
	}
	r.Flush()
	if err := r.sorter.wait(); err != nil {
		t.Fatal(err)
	}
	r.Checkpoint()
	if err := os.CopyFS(to.runDir(r.ID()), os.DirFS(r.dir)); err != nil {
		t.Fatal(err)
	}
	finish(t, r)
	return to, r.ID()
}

// copied copies a store as anybody would.
func copied(t testing.TB, from *Store) *Store {
	t.Helper()
	dir := filepath.Join(memoryDir(t), "store")
	if err := os.CopyFS(dir, os.DirFS(from.dir)); err != nil {
		t.Fatal(err)
	}
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	s.Problem = func(err error) { t.Errorf("a problem: %v", err) }
	return s
}

// content is what a store is found to have: sightings by contact, and queries.
type content struct {
	seen    map[kad.NodeInfo]int
	queries []int
}

func (c content) equal(o content) bool {
	return maps.Equal(c.seen, o.seen) && slices.Equal(c.queries, o.queries)
}

// contentOf reads a store.
func contentOf(t testing.TB, s *Store) content {
	t.Helper()
	c := content{seen: map[kad.NodeInfo]int{}}
	for node, contact := range contactsOf(t, s, Filter{}) {
		c.seen[node] = seenTimes(&contact.Tally)
	}
	for row, err := range s.Rows(record.KindQuery, Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		c.queries = append(c.queries, row.Row.(*record.Query).Size)
	}
	return c
}

func seenTimes(t *Tally) int { return int(t.Mentions + t.Queries + t.Replies + t.Failures) }

// frameAt is a frame of a file, and what it has.
type frameAt struct {
	from, to int
	content  []byte
}

// framesOf takes a file apart that is whole.
func framesOf(file []byte) (all []frameAt) {
	file = bytes.Clone(file)
	for at := headSize; at < len(file); {
		length, _ := frameLength(file[at:])
		all = append(all, frameAt{at, at + int(length), file[at+frameHead : at+int(length)]})
		at += int(length)
	}
	return all
}

// add adds what frames of a file have.
func (c *content) add(d dataFile, frames []frameAt) {
	for _, frame := range frames {
		f := fields{b: frame.content[frameTime:]}
		for len(f.b) > 0 {
			if d.sort == sortRows {
				kind, body := record.Kind(f.byte()), f.text()
				c.queries = append(c.queries, readRow(kind, &fields{b: body}, &names{}).(*record.Query).Size)
				continue
			}
			var t Tally
			t.read(&f, 0, &names{})
			c.seen[t.Node] += seenTimes(&t)
		}
	}
}

// damage is what befalls a file: what it is then, and which frames it still has.
type damage func(w *world, file []byte, frames []frameAt) ([]byte, []frameAt)

// hit keeps frames that have nothing between two places.
func hit(frames []frameAt, from, to int) []frameAt {
	return slices.DeleteFunc(slices.Clone(frames), func(f frameAt) bool { return f.from < to && from < f.to })
}

var damages = map[string]damage{
	"truncated": func(w *world, file []byte, frames []frameAt) ([]byte, []frameAt) {
		at := w.IntN(len(file))
		return file[:at], hit(frames, at, len(file))
	},
	"bit flipped": func(w *world, file []byte, frames []frameAt) ([]byte, []frameAt) {
		at := w.IntN(len(file))
		for at >= len(headMagic)+2 && at < headSize { // that is not looked at
			at = w.IntN(len(file))
		}
		file[at] ^= 1 << w.IntN(8)
		return file, hit(frames, at, at+1)
	},
	"garbage put in": func(w *world, file []byte, frames []frameAt) ([]byte, []frameAt) {
		at := w.IntN(len(file))
		garbage := w.garbage()
		return slices.Insert(file, at, garbage...), slices.DeleteFunc(slices.Clone(frames), func(f frameAt) bool { return f.from < at && at < f.to })
	},
	"garbage after it": func(w *world, file []byte, frames []frameAt) ([]byte, []frameAt) {
		return append(file, w.garbage()...), frames
	},
	"a page of zeros": func(w *world, file []byte, frames []frameAt) ([]byte, []frameAt) {
		at := w.IntN(len(file))
		to := min(at+512, len(file))
		clear(file[at:to])
		return file, hit(frames, at, to)
	},
	"its end doubled": func(w *world, file []byte, frames []frameAt) ([]byte, []frameAt) {
		from := frames[w.IntN(len(frames))].from
		if file[len(headMagic)+1] != byte(sortSorted) { // else it is out of order
			frames = append(frames, slices.DeleteFunc(slices.Clone(frames), func(f frameAt) bool { return f.from < from })...)
		}
		return append(file, file[from:]...), frames
	},
	"a part is gone": func(w *world, file []byte, frames []frameAt) ([]byte, []frameAt) {
		at := w.IntN(len(file))
		to := min(at+1+w.IntN(700), len(file))
		return slices.Delete(file, at, to), hit(frames, at, to)
	},
}

// garbage makes bytes that may look like frames.
func (w *world) garbage() []byte {
	b := make([]byte, 1+w.IntN(300))
	for i := range b {
		b[i] = byte(w.Uint32())
	}
	for at := 0; at+8 < len(b); at += 1 + w.IntN(40) {
		copy(b[at:], []byte{0xd7, 0xc3, 0xf5, 0x66, byte(w.Uint32()), byte(w.Uint32() & 1), 0, 0})
	}
	return b
}

// believed reports whether a file's head still has its magic, and then another
// version or sort than it had: that is what the file is taken for.
func believed(was, is []byte) bool {
	n := len(headMagic)
	return len(is) >= headSize && bytes.Equal(is[:n], was[:n]) && !bytes.Equal(is[n:n+2], was[n:n+2])
}

// spoil damages one data file of a run at random, and returns what is left.
func spoil(t *testing.T, w *world, dir string, do damage) (name string, left content) {
	t.Helper()
	files, err := dataFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	victim := w.IntN(len(files))
	left.seen = map[kad.NodeInfo]int{}
	for i, d := range files {
		name := filepath.Join(dir, d.name)
		file, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		frames := framesOf(file)
		if i == victim {
			pristine := bytes.Clone(file)
			file, frames = do(w, file, frames)
			for bytes.Equal(file, pristine) || believed(pristine, file) {
				file, frames = do(w, bytes.Clone(pristine), framesOf(pristine))
			}
			if err := os.WriteFile(name, file, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		left.add(d, frames)
	}
	return files[victim].name, left
}

// Of files that were torn or spoilt all that is in whole frames is read, and the
// rest told; mending cuts that out and keeps it.
func TestSpoiltFiles(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for n, what := range slices.Sorted(maps.Keys(damages)) {
		w := newWorld(seed+uint64(n), 100)
		pristine, id := died(t, w, 600)
		before := contentOf(t, pristine)
		for i := range 12 {
			t.Run(fmt.Sprint(what, " ", i), func(t *testing.T) {
				s := copied(t, pristine)
				name, left := spoilt(t, w, s, id, damages[what])
				if len(left.seen) > len(before.seen) || len(left.queries) == 0 {
					t.Fatal("the oracle is wrong")
				}
				mendSpoilt(t, s, id, name, left)
			})
		}
	}
}

// spoilt spoils a file of a run and holds what is read then to what is left.
func spoilt(t *testing.T, w *world, s *Store, id RunID, do damage) (string, content) {
	name, left := spoil(t, w, s.runDir(id), do)
	told := tell(s)
	if got := contentOf(t, s); !got.equal(left) {
		t.Errorf("%s: %d contacts and %d queries, want %d and %d", name, len(got.seen), len(got.queries), len(left.seen), len(left.queries))
	}
	if whole := wholeFile(t, filepath.Join(s.runDir(id), name)); !whole && !strings.Contains(fmt.Sprint(*told), name+": ") {
		t.Errorf("of %s was told: %v", name, *told)
	}
	return name, left
}

// tell collects the problems of a store.
func tell(s *Store) *[]error {
	var told []error
	s.Problem = func(err error) { told = append(told, err) }
	return &told
}

// wholeFile reports whether a file is a head and frames.
func wholeFile(t *testing.T, name string) bool {
	t.Helper()
	file, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	d, _ := parseDataFile(filepath.Base(name))
	if len(file) == 0 || checkHead(file, d.sort) != nil {
		return len(file) == 0
	}
	var last []byte
	for at := headSize; at < len(file); {
		length, ok := frameLength(file[at:])
		if !ok || at+int(length) > len(file) || d.sort == sortSorted && length < frameHead+frameTime+3+kad.Size {
			return false
		}
		if d.sort == sortSorted {
			first := file[at+frameHead+frameTime+3:][:kad.Size]
			if bytes.Compare(first, last) <= 0 {
				return false
			}
			last = first
		}
		frame := file[at : at+int(length)]
		if frameCRC(frame)^seedOf(RunID(file[10:])) != uint32(frame[8])|uint32(frame[9])<<8|uint32(frame[10])<<16|uint32(frame[11])<<24 {
			return false
		}
		at += int(length)
	}
	return true
}

// mendSpoilt mends a store with a spoilt file.
func mendSpoilt(t *testing.T, s *Store, id RunID, name string, left content) {
	t.Helper()
	dir := s.runDir(id)
	spoilt, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	whole := wholeFile(t, filepath.Join(dir, name))
	if n, err := s.Mend(); n != 1 || err != nil {
		t.Fatalf("mended %d runs: %v", n, err)
	}
	if got := contentOf(t, s); !got.equal(left) {
		t.Errorf("mended, there are %d contacts and %d queries, want %d and %d", len(got.seen), len(got.queries), len(left.seen), len(left.queries))
	}
	kept, err := filepath.Glob(filepath.Join(dir, tornFolder, name+"-*"))
	if err != nil || (len(kept) == 0) != whole {
		t.Errorf("kept %v of %s: %v", kept, name, err)
	}
	for _, aside := range kept {
		part, err := os.ReadFile(aside)
		if err != nil || len(part) == 0 || !bytes.Contains(spoilt, part) {
			t.Errorf("%s has %d bytes that are not of the file: %v", aside, len(part), err)
		}
	}
	s.Problem = func(err error) { t.Errorf("a problem after mending: %v", err) }
	mended(t, s)
	contentOf(t, s)
}
