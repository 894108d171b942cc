package dataset

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/record"
)

func init() { childTasks["many runs"] = readManyRuns }

// A store may have more runs than a process may have files open.
func TestManyRuns(t *testing.T) {
	s, w := newStore(t), newWorld(3, 50)
	runs := 2000
	if raceDetector || testing.Short() {
		runs = 400
	}
	for i := range runs {
		r, err := s.Begin(Manifest{Command: "test"}, Settings{SyncEvery: -1, MinFree: -1})
		if err != nil {
			t.Fatal(err)
		}
		r.Record(&record.Sighting{Time: w.tick(), Node: w.nodes[i%50], Event: record.Mentioned})
		r.Record(&record.Query{Time: w.tick(), Node: w.node()})
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	cmd := child(t, "many runs", s.dir)
	cmd.Env = append(cmd.Env, fmt.Sprint("RUNS=", runs))
	out, err := cmd.Output()
	if err != nil {
		t.Error(err)
	}
	t.Logf("%s", out)
}

// readManyRuns reads a store with 256 open files at most.
func readManyRuns(dir string) error {
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 256, Max: 256}); err != nil {
		return err
	}
	s, err := Open(dir)
	if err != nil {
		return err
	}
	begun, seen, asked := time.Now(), 0, 0
	contacts := 0
	for c, err := range s.Contacts(Filter{}) {
		if err != nil {
			return err
		}
		contacts++
		seen += seenTimes(&c.Tally)
	}
	fmt.Printf("contacts: %v, ", time.Since(begun).Round(time.Millisecond))
	begun = time.Now()
	for _, err := range s.Rows(record.KindQuery, Filter{}) {
		if asked++; err != nil {
			return err
		}
	}
	fmt.Printf("rows: %v, ", time.Since(begun).Round(time.Millisecond))
	begun = time.Now()
	v, err := s.Verify()
	if err != nil || len(v.Problems) > 0 {
		return fmt.Errorf("verified %+v: %w", v, err)
	}
	fmt.Printf("verified: %v\n", time.Since(begun).Round(time.Millisecond))
	if is := fmt.Sprint(seen); is != os.Getenv("RUNS") || contacts != 50 || fmt.Sprint(asked) != is || fmt.Sprint(v.Runs) != is {
		return fmt.Errorf("%d contacts seen %d times, %d queries, %d runs", contacts, seen, asked, v.Runs)
	}
	return nil
}
