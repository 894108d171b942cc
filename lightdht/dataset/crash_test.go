package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/table"
)

var (
	kills    = flag.Int("kills", 0, "how many processes TestKilled kills; 0: 50, or 12 with the race detector")
	killSeed = flag.Uint64("killseed", 0, "seed of TestKilled; 0: of the clock")
)

// childTask names, in the environment of a test binary, what it is to do instead of
// testing: one of childTasks, with the store as its first argument.
const childTask = "LIGHTDHT_DATASET_CHILD"

var childTasks = map[string]func(dir string) error{
	"record": recordUntilKilled,
	"mend":   mendAsChild,
	"create": createAsChild,
	"claim":  claimAsChild,
}

// fewer is how often something is tried with the race detector, which takes its time,
// when it is n times without.
func fewer(n int) int {
	if raceDetector {
		return n / 2
	}
	return n
}

func TestMain(m *testing.M) {
	if task := childTasks[os.Getenv(childTask)]; task != nil {
		if err := task(os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, "goroutines are left:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// child starts this test binary as a process of its own.
func child(t testing.TB, task, dir string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], dir)
	cmd.Env = append(os.Environ(), childTask+"="+task, "GOMAXPROCS=4", "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	return cmd
}

const (
	crashWriters  = 3
	crashContacts = 40 // of each writer
)

// crashEpoch is when the sightings of a child begin: one a microsecond for each
// contact, so that the last of n is n microseconds later.
var crashEpoch = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

// crashNode is contact i of a writer: its ID begins at random, its end tells who it is.
func crashNode(writer, i int) kad.NodeInfo {
	rng := rand.New(rand.NewPCG(uint64(writer), uint64(i)))
	n := kad.NodeInfo{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(writer), byte(i)}), 6881)}
	for j := range 18 {
		n.ID[j] = byte(rng.Uint32())
	}
	n.ID[18], n.ID[19] = byte(writer), byte(i)
	return n
}

// recordUntilKilled records from several goroutines until it is killed. After each
// flush a writer prints "flushed WRITER QUERIES COUNT…": what it had handed over
// before, the sightings by contact.
func recordUntilKilled(dir string) error {
	s, err := Create(dir, "lab")
	if err != nil {
		return err
	}
	r, err := s.Begin(Manifest{Command: "crash"}, Settings{
		segment: 1500, FlushEvery: time.Millisecond, SyncEvery: 3 * time.Millisecond, CheckpointEvery: 2 * time.Millisecond, MinFree: -1,
		KeepSightings: os.Getpid()%2 == 0,
		Good:          func() []table.Contact { return crashGood },
	})
	if err != nil {
		return err
	}
	fmt.Println("run", r.ID())
	failed := make(chan error)
	for writer := range crashWriters {
		go func() { failed <- crashWriter(r, writer) }()
	}
	return <-failed
}

var crashGood = []table.Contact{{
	ID: crashNode(9, 9).ID, Addr: crashNode(9, 9).Addr, FirstSeen: crashEpoch, LastSeen: crashEpoch, LastReply: crashEpoch, Replies: 1,
}}

func crashWriter(r *Run, writer int) error {
	rng := rand.New(rand.NewPCG(uint64(os.Getpid()), uint64(writer)))
	var counts [crashContacts]int
	for queries := 0; ; {
		for range rng.IntN(30) {
			i := rng.IntN(crashContacts)
			counts[i]++
			r.Record(&record.Sighting{
				Time: crashEpoch.Add(time.Duration(counts[i]) * time.Microsecond), Node: crashNode(writer, i),
				Event: record.Event(1 + rng.IntN(4)), Method: "ping", Version: []byte("LD\x00\x01"),
			})
			if rng.IntN(3) == 0 {
				queries++
				r.Record(&record.Query{Time: crashEpoch.Add(time.Duration(queries)), Node: crashNode(writer, i), Method: "ping", Size: queries})
			}
		}
		if err := r.Flush(); err != nil {
			return err
		}
		line := fmt.Sprint("flushed ", writer, " ", queries, " ", strings.Trim(fmt.Sprint(counts), "[]"), "\n")
		if _, err := os.Stdout.WriteString(line); err != nil {
			return err
		}
	}
}

// handed is what the children of a store said that they had handed over.
type handed map[RunID]*handedRun

type handedRun struct {
	queries   [crashWriters]int
	sightings map[kad.NodeInfo]int
}

// note reads a line of a child.
func (h handed) note(t *testing.T, run *RunID, line string) {
	words := strings.Fields(line)
	if words[0] == "run" {
		*run, _ = ParseRunID(words[1])
		h[*run] = &handedRun{sightings: map[kad.NodeInfo]int{}}
		return
	}
	var writer, queries int
	if _, err := fmt.Sscan(strings.Join(words[1:3], " "), &writer, &queries); err != nil || len(words) != 3+crashContacts {
		t.Fatalf("a child says %q: %v", line, err)
	}
	h[*run].queries[writer] = queries
	for i, word := range words[3:] {
		var n int
		if fmt.Sscan(word, &n); n > 0 {
			h[*run].sightings[crashNode(writer, i)] = n
		}
	}
}

// crash has a child write to a store and kills it after some of its lines.
func (h handed) crash(t *testing.T, dir string, rng *rand.Rand) {
	cmd := child(t, "record", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, left, run := bufio.NewScanner(out), 1+rng.IntN(60), RunID{}
	for lines.Scan() {
		h.note(t, &run, lines.Text())
		if left--; left == 0 {
			spin(rng)
			cmd.Process.Kill()
		} // what it said before that counts
	}
	cmd.Process.Kill()
	wasKilled(t, cmd.Wait())
}

// memoryDir returns a folder in memory where there is such: what processes leave
// behind is the same there, and takes less time.
func memoryDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "lightdht-test-")
	if err != nil {
		dir, err = os.MkdirTemp("", "lightdht-test-")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// spin is busy for a while: some microseconds or some milliseconds.
func spin(rng *rand.Rand) {
	for range rng.IntN(2 << rng.IntN(21)) {
		runtime.Gosched()
	}
}

// wasKilled reports whether a child was killed before it ended; it must not have
// failed.
func wasKilled(t *testing.T, err error) bool {
	t.Helper()
	var exit *exec.ExitError
	if err == nil {
		return false
	}
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("a child failed: %v", err)
	}
	return true
}

func mendAsChild(dir string) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	fmt.Println("mending")
	_, err = s.Mend()
	return err
}

// killedAt has a child do a task with a store and kills it after its first line.
// It reports whether that was in time.
func killedAt(t *testing.T, task, dir string, rng *rand.Rand) bool {
	cmd := child(t, task, dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	bufio.NewReader(out).ReadString('\n')
	spin(rng)
	cmd.Process.Kill()
	return wasKilled(t, cmd.Wait())
}

// check holds a store to what was handed over. Sightings and queries are numbered:
// what is there must be the first so many, once each.
func (h handed) check(t *testing.T, s *Store) {
	t.Helper()
	for id, run := range h {
		got := map[kad.NodeInfo]int{}
		for c, err := range s.Contacts(Filter{Runs: []RunID{id}}) {
			if err != nil {
				t.Fatal(err)
			}
			got[c.Node] = int(c.Mentions + c.Queries + c.Replies + c.Failures)
			if last := max(c.Last, c.Failure) - StampOf(crashEpoch); int(last) != got[c.Node] {
				t.Errorf("run %v: %v was seen %d times, last was the %dth", id, c.Node, got[c.Node], last)
			}
		}
		for node, n := range run.sightings {
			if got[node] < n {
				t.Errorf("run %v: %v was seen %d times, %d were handed over", id, node, got[node], n)
			}
		}
		run.checkRows(t, s, id)
	}
}

func (run *handedRun) checkRows(t *testing.T, s *Store, id RunID) {
	t.Helper()
	var queries [crashWriters]int
	for row, err := range s.Rows(record.KindQuery, Filter{Runs: []RunID{id}}) {
		if err != nil {
			t.Fatal(err)
		}
		q := row.Row.(*record.Query)
		writer := q.Node.ID[18]
		if queries[writer]++; queries[writer] != q.Size {
			t.Fatalf("run %v: query %d of writer %d comes where %d should", id, q.Size, writer, queries[writer])
		}
	}
	for writer, n := range run.queries {
		if queries[writer] < n {
			t.Errorf("run %v: %d queries of writer %d, %d were handed over", id, queries[writer], writer, n)
		}
	}
}

// Processes that write are killed, and some that mend what those left: all that was
// handed over is there, once, before it is mended and afterwards.
func TestKilled(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process does not tell there that it was killed")
	}
	seed, n := *killSeed, *kills
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	if n == 0 {
		if n = 50; raceDetector {
			n = 12
		}
	}
	t.Logf("-killseed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 2))
	inMend := 0
	for n > 0 {
		dir, all := memoryDir(t), handed{}
		for range min(n, 2+rng.IntN(4)) {
			all.crash(t, dir, rng)
			n--
		}
		s, err := Open(dir)
		if errors.Is(err, ErrNoStore) {
			continue // it was killed before it made one
		} else if err != nil {
			t.Fatal(err)
		}
		all.check(t, s)
		for range 3 {
			if killedAt(t, "mend", dir, rng) {
				inMend++
			}
			all.check(t, s)
		}
		mended(t, s)
		all.check(t, s)
	}
	t.Logf("%d were killed before they had mended all", inMend)
}

// mended mends a store, which is in order then: mending it again finds nothing.
func mended(t *testing.T, s *Store) {
	t.Helper()
	if _, err := s.Mend(); err != nil {
		t.Fatal(err)
	}
	before := filesBelow(t, s.dir)
	if n, err := s.Mend(); n != 0 || err != nil {
		t.Errorf("mended again: %d runs, %v", n, err)
	}
	if after := filesBelow(t, s.dir); after != before {
		t.Errorf("mending again changed\n%s to\n%s", before, after)
	}
	runs, _ := s.Runs()
	for _, r := range runs {
		if text, err := os.ReadFile(filepath.Join(r.dir, manifestFile)); err != nil || bytes.Contains(text, []byte("null")) {
			t.Errorf("%v\n%s", err, text)
		}
	}
	v, err := s.Verify()
	if err != nil || v.Live > 0 {
		t.Errorf("verified: %+v, %v", v, err)
	}
	for _, err := range v.Problems {
		t.Errorf("a problem after mending: %v", err)
	}
}
