package dataset

import (
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
)

// damagedText is a file with something wrong somewhere.
func (w *world) damagedText(b []byte) []byte {
	at := w.IntN(len(b))
	switch w.IntN(5) {
	case 0:
		return b[:at]
	case 1:
		b[at] ^= 1 << w.IntN(8)
		return b
	case 2:
		return slices.Insert(b, at, w.garbage()...)
	case 3:
		clear(b[at:min(at+512, len(b))])
		return b
	}
	return append(b, b[at:]...)
}

// Whatever is wrong with the files that describe a store, a run or who the node was,
// the store is refused in a line, or read: contacts do not change but by whole runs.
func TestSpoiltDescriptions(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	w := newWorld(seed, 60)
	pristine, id := died(t, w, 200)
	claim, err := pristine.Claim()
	if err == nil {
		err = claim.Save(Identity{ID: w.id(), Port: 6881, Addr4: w.nodes[0].Addr.Addr()})
	}
	if err != nil {
		t.Fatal(err)
	}
	claim.Close()
	all := contactsOf(t, pristine, Filter{})
	names := []string{storeFile, identityFile, "runs/" + id.String() + "/" + manifestFile, "runs/" + id.String() + "/" + goodFile}
	for i := range fewer(240) {
		dir := filepath.Join(memoryDir(t), "store")
		if err := os.CopyFS(dir, os.DirFS(pristine.dir)); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, names[i%len(names)])
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, w.damagedText(content), 0o600); err != nil {
			t.Fatal(err)
		}
		lookAtSpoilt(t, dir, name, len(all))
	}
}

// lookAtSpoilt does with a store what there is to do.
func lookAtSpoilt(t *testing.T, dir, name string, contacts int) {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		oneLine(t, err, name)
		return
	}
	told := tell(s)
	for range 2 {
		if n := len(contactsOf(t, s, Filter{})); n != contacts && n != 0 {
			t.Errorf("%s: %d contacts, want %d", name, n, contacts)
		}
		if c, err := s.Claim(); err != nil {
			oneLine(t, err, identityFile)
		} else {
			c.Close()
		}
		s.Good(100)
		if _, err := s.Verify(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.Mend(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, err := range *told {
		if strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), dir) {
			t.Errorf("told %q", err)
		}
	}
}

// A run's folder of which files are missing is read as far as it goes, and what is
// missing is told.
func TestHalfCopiedRun(t *testing.T) {
	w, s := newWorld(2, 100), newStore(t)
	id := recorded(t, s, w, 800)
	all := seenIn(t, s, Filter{})
	files, err := dataFiles(s.runDir(id))
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	if err := os.Remove(filepath.Join(s.runDir(id), files[1].name)); err != nil {
		t.Fatal(err)
	}
	sum := func(seen map[kad.NodeInfo]int) (n int) {
		for _, times := range seen {
			n += times
		}
		return n
	}
	told := tell(s)
	if n := sum(seenIn(t, s, Filter{})); n == 0 || n >= sum(all) {
		t.Errorf("%d of %d sightings", n, sum(all))
	}
	if len(*told) != 1 || !strings.Contains((*told)[0].Error(), files[1].name+": is missing, or cut short: of ") {
		t.Errorf("told %v", *told)
	}
	v, err := s.Verify()
	if err != nil || len(v.Problems) != 1 || !strings.HasSuffix(v.Problems[0].Error(), files[1].name+": is missing") {
		t.Errorf("verified %+v: %v", v, err)
	}
}

// Sightings are those that were recorded where each was kept, and else tallies of
// them.
func TestSightings(t *testing.T) {
	w, s := newWorld(14, 60), newStore(t)
	want := map[kad.NodeInfo]int{}
	var kept []kad.NodeInfo
	for _, keep := range []bool{true, false} {
		r := begin(t, s, Settings{KeepSightings: keep, segment: 2000})
		for i := range 300 {
			sighting := w.sighting()
			want[sighting.Node]++
			r.Record(sighting)
			if keep {
				kept = append(kept, sighting.Node)
			}
			if i%50 == 0 {
				r.Flush()
			}
		}
		finish(t, r)
	}
	zone := w.nodes[0].ID.Prefix(1)
	for _, f := range []Filter{{}, {Prefix: zone}, {Family: kad.IPv6}} {
		got, n := map[kad.NodeInfo]int{}, 0
		mayBe := slices.DeleteFunc(slices.Clone(kept), func(n kad.NodeInfo) bool { return !f.passes(n, 0) })
		for one, err := range s.Sightings(f) {
			if err != nil {
				t.Fatal(err)
			}
			got[one.Node] += seenTimes(&one.Tally)
			if one.Kept == nil {
				continue
			}
			if one.Kept.Kind() != record.KindSighting || one.Kept.Node != mayBe[n] || seenTimes(&one.Tally) != 1 {
				t.Errorf("sighting %d is %+v", n, one)
			}
			n++
		}
		if n != len(mayBe) {
			t.Errorf("%d sightings were kept, want %d", n, len(mayBe))
		}
		for node, times := range want {
			if !f.passes(node, 0) {
				times = 0
			}
			if got[node] != times {
				t.Errorf("%v: %d sightings, want %d", node, got[node], times)
			}
		}
	}
}

// A sorted file that was emptied, or cut where a frame ends, is told of, whatever its
// name: nothing else says that contacts are missing.
func TestCutSortedFileIsTold(t *testing.T) {
	dir := t.TempDir()
	store, err := Create(dir, "lab")
	if err != nil {
		t.Fatal(err)
	}
	run, err := store.Begin(Manifest{}, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		run.Record(&record.Sighting{Time: time.Now(), Event: record.Replied, Node: kad.NodeInfo{
			ID: kad.ID{byte(i)}, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 1),
		}})
	}
	if err := run.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, runsFolder, "*", "*.sorted"))
	names = slices.DeleteFunc(names, func(name string) bool { return filepath.Base(name) == goodFile })
	if err != nil || len(names) != 1 {
		t.Fatalf("%v: %v", names, err)
	}
	for _, size := range []int64{headSize, 0} {
		if err := os.Truncate(names[0], size); err != nil {
			t.Fatal(err)
		}
		var told []error
		store.Problem = func(err error) { told = append(told, err) }
		n := 0
		for _, err := range store.Contacts(Filter{}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != 0 || len(told) != 1 || !strings.Contains(told[0].Error(), "is missing, or cut short: of 100 rows") {
			t.Errorf("cut to %d bytes: %d contacts, told %v", size, n, told)
		}
	}
}
