package scripts

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/testnet"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

// world is a network of 50 nodes, and one more that asks, with all that they ask.
type world struct {
	net      *testnet.Net
	asker    *lightdht.Node
	entrance string
	pings    chan netip.AddrPort // has the sender of each ping that the network received

	mu   sync.Mutex
	sent []sent
}

// sent is a query to a port of this machine.
type sent struct {
	to     uint16
	who    kad.NodeInfo
	method string
	target string
}

func startWorld(t *testing.T) *world {
	w := &world{pings: make(chan netip.AddrPort, 1<<16)}
	trace := &lightdht.Trace{QuerySent: w.note, Query: w.pinged}
	net, err := testnet.Start(t.Context(), testnet.Config{Nodes: 50, Seed: 1, Node: func(_ int, cfg *lightdht.Config) { cfg.Trace = trace }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { net.Close() })
	w.net, w.entrance = net, net.Bootstrap()[0]
	w.asker = listen(t, lightdht.Config{Trace: trace})
	return w
}

func listen(t *testing.T, cfg lightdht.Config) *lightdht.Node {
	n, err := lightdht.Listen("127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

func (w *world) note(p *lightdht.Packet) {
	s := sent{to: p.Addr.Port(), who: kad.NodeInfo{ID: p.Message.ID, Addr: p.Node.Addr(kad.IPv4)}, method: p.Method}
	if topic, ok := p.Message.Topic(); ok {
		s.target = topic.String()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, s)
}

// pinged notes pings of programs, which come from 127.0.0.1; the network's own,
// where it has other addresses, are none of them.
func (w *world) pinged(p *lightdht.Packet) {
	if p.Method == krpc.MethodPing && p.Addr.Addr() == netip.AddrFrom4([4]byte{127, 0, 0, 1}) {
		select {
		case w.pings <- p.Addr:
		default:
		}
	}
}

// awaitPings waits until the network has received n more pings, and returns who
// sent the last. Those of but do not count, which a program that has ended may have
// left in the sockets.
func (w *world) awaitPings(t *testing.T, n int, but netip.AddrPort) (from netip.AddrPort) {
	t.Helper()
	for len(w.pings) > 0 {
		<-w.pings
	}
	for n > 0 {
		select {
		case from = <-w.pings:
		case <-time.After(patience):
			t.Fatal("nobody pings the network")
		}
		if from != but {
			n--
		}
	}
	return from
}

// sentTo returns what a log of the queries to a port has, sorted.
func (w *world) sentTo(port uint16) (rows []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.sent {
		if s.to == port {
			rows = append(rows, fmt.Sprint(s.who.ID, " ", s.who.Addr.Addr(), " ", s.who.Addr.Port(), " ", s.method, " ", s.target))
		}
	}
	slices.Sort(rows)
	return rows
}

// counts returns how many asked each of some vantages, and some number of them.
func (w *world) counts(ids map[uint16]string) map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	asked := map[kad.NodeInfo]map[string]bool{}
	for _, s := range w.sent {
		if id, ok := ids[s.to]; ok {
			if asked[s.who] == nil {
				asked[s.who] = map[string]bool{}
			}
			asked[s.who][id] = true
		}
	}
	counts := map[string]int{}
	for _, at := range asked {
		for id := range at {
			counts[id]++
		}
		for n := range len(at) {
			counts[fmt.Sprintf("of %d or more", n+1)]++
		}
	}
	return counts
}

// build builds the programs, with the race detector when the test has it, and
// returns where they are.
func build(t *testing.T) string {
	if runtime.GOOS == "windows" {
		t.Skip("there is no way to send a Ctrl-C to one process")
	}
	dir := t.TempDir()
	args := []string{"build", "-o", dir}
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		args = append(args, "-race")
	}
	for _, name := range programs {
		args = append(args, "./"+name)
	}
	if out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// process is a program that runs.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr *output
}

// run starts a program; it is ended with the test, if not before.
func run(t *testing.T, bin, name string, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	p := &process{exec.CommandContext(ctx, filepath.Join(bin, name), args...), newOutput(), newOutput()}
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		p.cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, p.stderr)
		}
	})
	return p
}

// end waits for a good end.
func (p *process) end(t *testing.T) {
	t.Helper()
	if err := p.cmd.Wait(); err != nil {
		t.Fatalf("it ends with %v", err)
	}
}

// interrupt presses Ctrl-C, and waits for a good end.
func (p *process) interrupt(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	p.end(t)
}

var listening = regexp.MustCompile(`addr=((?:127|0)\.\S+) id=([0-9a-f]{40})`)

// listening waits until n IPv4 sockets are open, and returns the address and the
// ID of each.
func (p *process) listening(t *testing.T, n int) (found [][]string) {
	t.Helper()
	p.stderr.await(t, func(text string) bool {
		found = listening.FindAllStringSubmatch(text, -1)
		return len(found) >= n
	})
	return found
}

// output is what a program wrote so far.
type output struct {
	grew chan struct{}
	mu   sync.Mutex
	text strings.Builder
}

func newOutput() *output { return &output{grew: make(chan struct{}, 1)} }

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.grew <- struct{}{}:
	default:
	}
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// await waits until the output is as wanted.
func (o *output) await(t *testing.T, as func(text string) bool) {
	t.Helper()
	late := time.After(patience)
	for !as(o.String()) {
		select {
		case <-o.grew:
		case <-late:
			t.Fatalf("it goes on to write %q", o.String())
		}
	}
}
