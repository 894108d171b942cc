package dataset

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/lightdht/lightdht/table"
)

// A run that goes on is copied, put in order in the copy, and copied there again,
// several times over: the copy has all that was copied, each thing once.
func TestCopiedAgain(t *testing.T) {
	if _, err := exec.LookPath("cp"); err != nil {
		t.Skip("there is no cp")
	}
	for seed := range uint64(8) {
		w, s, want := newWorld(seed, 80), newStore(t), table.NewFlat()
		r := begin(t, s, Settings{FlushEvery: time.Hour, segment: int64(3000 << seed)})
		dir := t.TempDir()
		for round := range 4 {
			for range 200 {
				sighting := w.sighting()
				observe(want, sighting)
				r.Record(sighting)
				if w.IntN(20) == 0 {
					r.Flush()
				}
			}
			r.Flush()
			r.sorter.wait()
			if round == 3 && seed%2 == 0 {
				finish(t, r)
			}
			if out, err := exec.Command("cp", "-R", s.Dir()+"/.", dir).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			copied, err := Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			copied.Problem = func(err error) { t.Errorf("a problem: %v", err) }
			if err := os.RemoveAll(s.runDir(r.ID()) + "/torn"); err != nil {
				t.Fatal(err)
			}
			sameAsTable(t, contactsOf(t, copied, Filter{}), want)
			if round%2 == 0 {
				if _, _, err := copied.Compact(); err != nil {
					t.Fatal(err)
				}
			} else if _, err := copied.Mend(); err != nil {
				t.Fatal(err)
			}
			sameAsTable(t, contactsOf(t, copied, Filter{}), want)
			if v, err := copied.Verify(); err != nil || len(v.Problems) > 0 {
				t.Errorf("seed %d, round %d: verified %+v, %v", seed, round, v, err)
			}
		}
	}
}
