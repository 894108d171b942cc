package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/record"
)

// rewritten replaces text in a file.
func rewritten(t testing.TB, name, from, to string) {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(content, []byte(from)) {
		t.Fatalf("%s has no %q", name, from)
	}
	if err := os.WriteFile(name, bytes.Replace(content, []byte(from), []byte(to), 1), 0o600); err != nil {
		t.Fatal(err)
	}
}

// oneLine holds an error to be one line that has all of some words.
func oneLine(t testing.TB, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error with %q", words)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not have %q", err, word)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("%q is more than a line", err)
	}
}

// twoRuns makes a store with two runs that have ended, of which the second is to
// be spoilt.
func twoRuns(t testing.TB) (s *Store, first, second RunID) {
	t.Helper()
	s, w := newStore(t), newWorld(9, 400)
	for _, id := range []*RunID{&first, &second} {
		r := begin(t, s, Settings{FlushEvery: time.Hour})
		for range 200 {
			r.Record(w.sighting())
			r.Record(&record.Query{Time: w.tick(), Node: w.node()})
		}
		finish(t, r)
		*id = r.ID()
	}
	return s, first, second
}

// A store that is none, or not for this program, is refused in one line that names
// it, and left as it is.
func TestStoreIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		from, to string
		words    []string
	}{
		"newer":         {`"format": 1`, `"format": 2`, []string{"newer lightdht"}},
		"no format":     {`"format": 1`, `"format": 0`, []string{"not written by lightdht"}},
		"no network":    {`"network": "lab"`, `"network": ""`, []string{"names no network"}},
		"half":          {`}`, ``, []string{"spoilt, or only half copied"}},
		"other network": {`"lab"`, `"public"`, []string{"a store of the network public, not of lab"}},
	} {
		s, _, _ := twoRuns(t)
		file := filepath.Join(s.dir, storeFile)
		rewritten(t, file, c.from, c.to)
		before := filesBelow(t, s.dir)
		_, err := Create(s.dir, "lab")
		oneLine(t, err, append(c.words, s.dir)...)
		if after := filesBelow(t, s.dir); after != before {
			t.Errorf("%s: refusing it changed\n%s to\n%s", name, before, after)
		}
	}
	s, _, _ := twoRuns(t)
	rewritten(t, filepath.Join(s.dir, storeFile), s.head.Key[:60], "")
	s, err := Open(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Begin(Manifest{}, Settings{})
	oneLine(t, err, storeFile, "infohash_key")
}

// A folder without a store in it is told from none, and from a file.
func TestNoStore(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, word := range map[string]string{dir: storeFile, file: "it is a file", filepath.Join(dir, "none"): "no store there"} {
		_, err := Open(name)
		if oneLine(t, err, name, word); !errors.Is(err, ErrNoStore) {
			t.Errorf("%v", err)
		}
	}
	_, err := Create(dir, "lab")
	oneLine(t, err, dir, "not empty")
	_, err = Create(file, "lab")
	oneLine(t, err, file)
}

// A run that cannot be read, or not be believed, is told and left out, or read as
// far as it goes; the other one is read in any case.
func TestRunIsRefused(t *testing.T) {
	manifest := func(from, to string) func(t *testing.T, s *Store, id RunID) {
		return func(t *testing.T, s *Store, id RunID) {
			rewritten(t, filepath.Join(s.runDir(id), manifestFile), from, to)
		}
	}
	for name, c := range map[string]struct {
		do    func(t *testing.T, s *Store, id RunID)
		words []string
		left  bool // it is left out
	}{
		"newer":         {manifest(`"format": 1`, `"format": 2`), []string{"newer lightdht"}, true},
		"other network": {manifest(`"lab"`, `"public"`), []string{"of the network public, not of lab"}, true},
		"half manifest": {manifest("}", ""), []string{"spoilt, or only half copied"}, false},
		"no manifest": {func(t *testing.T, s *Store, id RunID) {
			os.Remove(filepath.Join(s.runDir(id), manifestFile))
		}, []string{"half copied"}, false},
		"copied under another name": {func(t *testing.T, s *Store, id RunID) {
			other, _ := NewRunID()
			os.Rename(s.runDir(id), s.runDir(other))
		}, []string{"copied under another name"}, true},
		"newer files": {func(t *testing.T, s *Store, id RunID) {
			rewritten(t, filepath.Join(s.runDir(id), sortedName(1, 1)), headMagic+"\x01", headMagic+"\x02")
			rewritten(t, filepath.Join(s.runDir(id), logName(sortRows, 1)), headMagic+"\x01", headMagic+"\x02")
		}, []string{"newer lightdht", ".sorted"}, true},
		"files of another sort": {func(t *testing.T, s *Store, id RunID) {
			rewritten(t, filepath.Join(s.runDir(id), sortedName(1, 1)), headMagic+"\x01\x02", headMagic+"\x01\x01")
			rewritten(t, filepath.Join(s.runDir(id), logName(sortRows, 1)), headMagic+"\x01\x03", headMagic+"\x01\x01")
		}, []string{"another sort", ".sorted"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s, first, second := twoRuns(t)
			alone := contactsOf(t, s, Filter{Runs: []RunID{first}})
			both := contactsOf(t, s, Filter{})
			c.do(t, s, second)
			told := tell(s)
			got := contactsOf(t, s, Filter{})
			want := both
			if c.left {
				want = alone
			}
			if len(got) != len(want) || len(alone) == len(both) {
				t.Errorf("%d contacts, want %d", len(got), len(want))
			}
			queries := 0
			for _, err := range s.Rows(record.KindQuery, Filter{}) {
				if queries++; err != nil {
					t.Fatal(err)
				}
			}
			if queries != 200 && c.left || queries != 400 && !c.left {
				t.Errorf("%d queries", queries)
			}
			if len(*told) == 0 {
				t.Fatal("nothing was told")
			}
			oneLine(t, (*told)[0], append(c.words, s.dir)...)
			v, err := s.Verify()
			if err != nil || len(v.Problems) == 0 {
				t.Errorf("verified: %+v, %v", v, err)
			}
			before := filesBelow(t, s.dir)
			n, err := s.Mend()
			if after := filesBelow(t, s.dir); c.left && (n != 0 || err != nil || before != after) {
				t.Errorf("mended %d: %v\n%s\n%s", n, err, before, after)
			}
			if !c.left && (n != 1 || err != nil) {
				t.Errorf("mended %d: %v", n, err)
			}
			if !c.left {
				s.Problem = func(err error) { t.Errorf("a problem after mending: %v", err) }
				mended(t, s)
			}
		})
	}
}

// A manifest that cannot be read is kept when another one is made, which knows that
// each sighting was kept.
func TestSpoiltManifestIsKept(t *testing.T) {
	s, w := newStore(t), newWorld(1, 5)
	r := begin(t, s, Settings{KeepSightings: true})
	for range 30 {
		r.Record(w.sighting())
	}
	finish(t, r)
	name := filepath.Join(r.dir, manifestFile)
	if err := os.WriteFile(name, []byte("{ what is this"), 0o600); err != nil {
		t.Fatal(err)
	}
	tell(s)
	if n, err := s.Mend(); n != 1 || err != nil {
		t.Fatalf("mended %d: %v", n, err)
	}
	if kept, err := os.ReadFile(filepath.Join(r.dir, tornFolder, manifestFile)); string(kept) != "{ what is this" {
		t.Errorf("kept %q: %v", kept, err)
	}
	if m := onlyRun(t, s).Manifest; !m.KeepSightings || m.State != Crashed || m.Rows["sightings"] != 30 {
		t.Errorf("the manifest is %+v", m)
	}
}

// What is foreign is told and left alone.
func TestForeignFiles(t *testing.T) {
	s, first, _ := twoRuns(t)
	all := contactsOf(t, s, Filter{})
	foreign := []string{"notes.txt", "runs/README", "runs/" + first.String() + "/contacts-1.log", "runs/" + first.String() + "/rows-000001.log.bak"}
	for _, name := range foreign {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"runs/other", "runs/" + first.String() + "/contacts-000009.log"} {
		foreign = append(foreign, name)
		if err := os.MkdirAll(filepath.Join(s.dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if got := contactsOf(t, s, Filter{}); len(got) != len(all) {
		t.Errorf("%d contacts, want %d", len(got), len(all))
	}
	if _, _, err := s.Compact(); err != nil {
		t.Error(err)
	}
	v, err := s.Verify()
	if told := fmt.Sprint(v.Problems); err != nil || len(v.Problems) < len(foreign)-1 {
		t.Errorf("told %s: %v", told, err)
	}
	for _, name := range foreign {
		if _, err := os.Stat(filepath.Join(s.dir, name)); err != nil {
			t.Error(err)
		}
	}
}

// The identity of a store that cannot be read is told, and not written over.
func TestSpoiltIdentity(t *testing.T) {
	s := newStore(t)
	for content, word := range map[string]string{"{": "spoilt", `{"format":2}`: "newer", `{"format":1,"id":"zz"}`: "spoilt"} {
		if err := os.WriteFile(filepath.Join(s.dir, identityFile), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := s.Claim()
		oneLine(t, err, identityFile, word)
		if c != nil {
			t.Error("it was claimed")
		}
	}
}
