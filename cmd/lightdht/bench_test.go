package main

import (
	"context"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
	"github.com/urfave/cli/v2"
)

// benchArgs reads options as the program does.
func benchArgs(t *testing.T, args ...string) (o benchOptions, err error) {
	app := newApp(strings.NewReader(""), io.Discard, io.Discard)
	app.Command("bench").Action = func(c *cli.Context) (err error) { o, err = readBenchOptions(c); return err }
	args, err = flagsFirst(app, append([]string{"lightdht", "bench"}, args...))
	if err != nil {
		t.Fatal(err)
	}
	return o, app.Run(args)
}

func TestBenchContacts(t *testing.T) {
	for in, want := range map[string]int{
		"100": 100, "1000": 1000, "100k": 100_000, "1M": 1_000_000, "10M": 10_000_000, "10m": 10_000_000, "1000M": 1_000_000_000,
	} {
		if o, err := benchArgs(t, "table", "--contacts", in); err != nil || o.contacts != want {
			t.Errorf("%s: read as %d, %v", in, o.contacts, err)
		}
	}
	var usage usageError
	for _, in := range []string{"", "0", "99", "-1", "-1M", "1001M", "1G", "1.5M", "many", "99999999999999999999"} {
		if o, err := benchArgs(t, "table", "--contacts", in); !errors.As(err, &usage) {
			t.Errorf("%q: read as %d, %v", in, o.contacts, err)
		}
	}
	if o, err := benchArgs(t, "table"); err != nil || o.contacts != 1_000_000 || !slices.Equal(o.kinds, []string{"flat", "prefix"}) {
		t.Errorf("by default %+v, %v", o, err)
	}
}

// What is asked for does not fit: the advice does.
func TestCheckMemory(t *testing.T) {
	const gb = 1_000_000_000
	if err := checkMemory(10_000_000, 0); err != nil {
		t.Errorf("memory unknown: %v", err)
	}
	if err := checkMemory(10_000_000, 2*gb); err != nil {
		t.Error(err)
	}
	for free, want := range map[uint64]string{
		gb:        "--contacts 10M takes 1.5 GB of memory, and 1.0 GB are free: ask for --contacts 6M or less, or end other programs",
		gb / 5:    "ask for --contacts 600k or less",
		gb / 1000: "1 MB are free: end other programs",
	} {
		if err := checkMemory(10_000_000, free); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d bytes free: %v", free, err)
		}
	}
	for _, free := range []uint64{gb / 5, gb, 7 * gb} {
		if n := roundContacts(mostBench, free); memoryFor(n) > free || memoryFor(2*n) <= free {
			t.Errorf("%d bytes free: advised %d contacts", free, n)
		}
	}
}

// The program looks before it begins.
func TestBenchTooLarge(t *testing.T) {
	if free := freeMemory(); free == 0 || free >= memoryFor(mostBench) {
		t.Skip("the memory of this machine is unknown, or enough for everything")
	}
	var data, said strings.Builder
	got := run([]string{"lightdht", "bench", "table", "--contacts", "1000M"}, strings.NewReader(""), &data, &said)
	if got != 1 || data.Len() > 0 || !strings.HasPrefix(said.String(), "lightdht: --contacts 1000M takes ") || strings.Count(said.String(), "\n") != 1 {
		t.Errorf("status %d, wrote %q, said %q", got, data.String(), said.String())
	}
}

func TestFieldOf(t *testing.T) {
	const meminfo = "MemTotal:       24684092 kB\nMemAvailable:   23925316 kB\nMemAvailable: 1 kB\n"
	if got := kilobytes(fieldOf(strings.NewReader(meminfo), "MemAvailable")); got != 23925316<<10 {
		t.Errorf("got %d bytes", got)
	}
	for _, s := range []string{"", "12", "12 MB", "-1 kB", "99999999999999999999 kB"} {
		if got := kilobytes(s); got != 0 {
			t.Errorf("%q: read as %d", s, got)
		}
	}
	if got := fieldOf(strings.NewReader(meminfo), "Mem"); got != "" {
		t.Errorf("got %q", got)
	}
}

// cancelling cancels when something is written to it.
type cancelling struct {
	cancel  context.CancelFunc
	written strings.Builder
}

func (c *cancelling) Write(p []byte) (int, error) {
	c.cancel()
	return c.written.Write(p)
}

// What was measured before Ctrl-C is written, and is a table.
func TestBenchInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	data := cancelling{cancel: cancel}
	out, err := newRows(&data, "json", figureColumns...)
	if err != nil {
		t.Fatal(err)
	}
	o := benchOptions{contacts: 2000, kinds: []string{"prefix", "flat"}, seed: 1, time: time.Millisecond}
	if err := benchTables(ctx, o, out, newScreen(io.Discard)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if table, err := parseTable("json", data.written.String()); err != nil || len(table) == 0 || len(table) > 2 {
		t.Errorf("%d rows, %v, in %q", len(table), err, data.written.String())
	}
}

// Each part of the work ends with the context, though an hour is to be measured.
func TestBenchPartsEnd(t *testing.T) {
	out, _ := newRows(io.Discard, "text", figureColumns...)
	o := benchOptions{contacts: 2000, kinds: []string{"prefix"}, seed: 1, time: time.Millisecond}
	b := &tableBench{benchOptions: o, ctx: t.Context(), kind: "prefix", out: out, screen: newScreen(io.Discard), told: time.Now()}
	b.begin()
	if err := b.fill(); err != nil {
		t.Fatal(err)
	}
	b.time = time.Hour
	for name, part := range map[string]func() error{
		"collect": b.collect, "alone": b.alone, "iterate": b.iterate, "newAtWork": b.newAtWork, "knownAtWork": b.knownAtWork,
		"crowd": b.crowd, "mostBad": b.mostBad, "similar": b.similar, "fill": b.fill,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		b.ctx = ctx
		if err := part(); name != "newAtWork" && !errors.Is(err, context.DeadlineExceeded) { // that one ends with the contacts
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

func testSources() map[string]source {
	o := benchOptions{contacts: 2000, seed: 7}
	crowd, crowdTargets := o.crowdSource()
	similar, similarTargets := o.similarSource()
	return map[string]source{
		"contacts": o.contactSource(), "targets": newSource(7, forTargets, 0), "crowd": crowd, "crowd targets": crowdTargets,
		"similar": similar, "similar targets": similarTargets, "other seed": newSource(8, forContacts, 0),
	}
}

// No two sources make the same ID, nor the nodes of one table the same address.
func TestSourcesDiffer(t *testing.T) {
	const n = 3000
	seen, addrs := map[kad.ID]string{}, map[string]bool{}
	for name, s := range testSources() {
		for i := range uint64(n) {
			node := s.node(i)
			if other, again := seen[node.ID]; again {
				t.Fatalf("%s and %s both make %s", name, other, node.ID)
			}
			seen[node.ID] = name
			if name == "contacts" || name == "crowd" {
				addrs[node.Addr.String()] = true
			}
			if again := s.node(i); again != node || s.id(i) != node.ID {
				t.Fatalf("%s %d: now %v, then %v", name, i, node, again)
			}
		}
	}
	if len(addrs) != 2*n {
		t.Errorf("%d addresses, want %d", len(addrs), 2*n)
	}
}

// Every bit of uniform IDs is set in half of them.
func TestSourceIsUniform(t *testing.T) {
	const n = 4000
	for _, name := range []string{"contacts", "targets"} {
		s := testSources()[name]
		var ones [kad.Bits]int
		for i := range uint64(n) {
			id := s.id(i)
			for bit := range ones {
				ones[bit] += id.Bit(bit)
			}
		}
		for bit, got := range ones {
			if math.Abs(float64(got)-n/2) > 5*math.Sqrt(n)/2 {
				t.Errorf("%s: bit %d is set in %d of %d", name, bit, got, n)
			}
		}
	}
}

// Numbers are drawn from all and evenly.
func TestDraw(t *testing.T) {
	s := newSource(1, forOrder, 0)
	var drawn [10]int
	for i := range uint64(10_000) {
		drawn[s.draw(i, len(drawn))]++
	}
	if slices.Min(drawn[:]) < 850 || slices.Max(drawn[:]) > 1150 {
		t.Errorf("drawn %v", drawn)
	}
}

func commonPrefix(a, b kad.ID) (n int) {
	for n < kad.Bits && a.Bit(n) == b.Bit(n) {
		n++
	}
	return n
}

// Similar IDs and their targets share 100 bits, and the next are random.
func TestSimilarSource(t *testing.T) {
	sources := testSources()
	similar, targets := sources["similar"], sources["similar targets"]
	least, next := kad.Bits, 0
	for i := range uint64(1000) {
		for _, id := range []kad.ID{similar.id(i), targets.id(i)} {
			least = min(least, commonPrefix(id, similar.id(0)))
			next += id.Bit(sharedBits) + id.Bit(kad.Bits-1)
		}
	}
	if least != sharedBits || next < 1800 || next > 2200 {
		t.Errorf("%d bits are shared, want %d; of the next and the last %d of 4000 are set", least, sharedBits, next)
	}
}

// All of a crowd are nearer to each of its targets than anybody else.
func TestCrowdIsNearer(t *testing.T) {
	sources := testSources()
	crowd, targets, contacts := sources["crowd"], sources["crowd targets"], sources["contacts"]
	for k := range uint64(50) {
		target := targets.id(k)
		farthest, nearest := target, contacts.id(0)
		for i := range uint64(2000) {
			if id := crowd.id(i); target.Closer(farthest, id) {
				farthest = id
			}
			if id := contacts.id(i); target.Closer(id, nearest) {
				nearest = id
			}
		}
		if !target.Closer(farthest, nearest) {
			t.Fatalf("target %s: %s of the crowd is farther than %s", target, farthest, nearest)
		}
	}
}

func goOn(int) error { return nil }

// Nine of ten are bad, with the history that failures give them, and all are who
// they were.
func TestSpoil(t *testing.T) {
	const n = 2000
	s := testSources()["contacts"]
	for name, how := range map[string]table.Sighting{"answered": answered(), "mentioned": mentioned()} {
		spoiled, seen := table.NewPrefix(), table.NewPrefix()
		for _, tb := range []table.Table{spoiled, seen} {
			if err := observe(tb, &s, n, how, goOn); err != nil {
				t.Fatal(err)
			}
		}
		if err := spoil(spoiled, &s, n, how, goOn); err != nil {
			t.Fatal(err)
		}
		bad := 0
		for i := range n {
			node := s.node(uint64(i))
			for range table.BadAfter {
				if i%oneGood != 0 {
					seen.Observe(table.Sighting{Node: node, Time: benchTime, Event: table.Failed})
				}
			}
			got, _ := spoiled.Get(node)
			if want, _ := seen.Get(node); got != want {
				t.Fatalf("%s: got %+v, want %+v", name, got, want)
			}
			if got.State(benchTime) == table.StateBad {
				bad++
			}
		}
		if bad != n/10*9 || spoiled.Len() != n {
			t.Errorf("%s: %d of %d are bad, want 90 %%", name, bad, spoiled.Len())
		}
	}
}

// A scan finds the nearest in order, and tells another answer from its own.
func TestScan(t *testing.T) {
	s, target := testSources()["contacts"], kad.ID{0x80}
	found := scan{target: target}
	var all []kad.NodeInfo
	for i := range uint64(500) {
		found.add(s.node(i))
		all = append(all, s.node(i))
	}
	slices.SortFunc(all, func(a, b kad.NodeInfo) int { return target.CompareDistance(a.ID, b.ID) })
	if !slices.Equal(found.nearest, all[:checkNearest]) {
		t.Fatalf("got  %v\nwant %v", found.nearest, all[:checkNearest])
	}
	answer := make([]table.Contact, checkNearest)
	for i, n := range all[:checkNearest] {
		answer[i] = table.Contact{ID: n.ID, Addr: n.Addr}
	}
	if !found.is(answer) {
		t.Error("the right answer is wrong")
	}
	if found.is(answer[:7]) {
		t.Error("seven are eight")
	}
	if answer[6], answer[7] = answer[7], answer[6]; found.is(answer) {
		t.Error("the order does not matter")
	}
}

// A table that is not exact fails the run, loudly.
func TestNotExact(t *testing.T) {
	var data strings.Builder
	out, _ := newRows(&data, "text", figureColumns...)
	o := benchOptions{contacts: 2000, seed: 1}
	b := &tableBench{benchOptions: o, ctx: t.Context(), kind: "flat", out: out, screen: newScreen(io.Discard), told: time.Now()}
	b.t, b.nodes, b.size = table.NewFlat(), o.contactSource(), 2000
	if err := inOrder(b.checkAll, b.tellExact); err == nil || !strings.Contains(err.Error(), "WRONG: table flat did not find the 8 nearest: NOT exact (0 of 24), all 0 of 24") {
		t.Errorf("an empty table passes: %v", err)
	}
	if !strings.Contains(data.String(), "NOT exact (0 of 24)") {
		t.Errorf("wrote %q", data.String())
	}
}

func TestFigureLine(t *testing.T) {
	f := figure{"Observe known, 2 + 2 at once", 10_500_000, 123456, "ns", 0.123456, "elapsed / ops of both writers"}
	want := "prefix Observe known, 2 + 2 at once of 10.5 M      123 µs 0.12 allocs  elapsed / ops of both writers"
	if got := f.line("prefix"); got != want || utf8.RuneCountInString(got) > 100 {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, tt := range []struct {
		f    figure
		want string
	}{
		{figure{value: 0.512, unit: "ns"}, "0.51 ns"},
		{figure{value: 999.6, unit: "ns"}, "1.00 µs"},
		{figure{value: 12_345_678, unit: "ns"}, "12.3 ms"},
		{figure{value: 1.5, unit: "ms"}, "1.50 ms"},
		{figure{value: 107.82, unit: "bytes"}, "107.8 bytes"},
		{figure{value: 3.333, unit: "ratio"}, "3.33 : 1"},
	} {
		if got := tt.f.valueText(); got != tt.want {
			t.Errorf("%v %s: got %q, want %q", tt.f.value, tt.f.unit, got, tt.want)
		}
	}
}

func TestAmount(t *testing.T) {
	for n, want := range map[int]string{
		0: "0", 2000: "2000", 10_999: "10 k", 999_999: "999 k", 1_000_000: "1 M", 3_299_000: "3.29 M", 10_000_000: "10 M",
		10_550_000: "10.5 M", 110_000_000: "110 M", 1_100_000_000: "1100 M",
	} {
		if got := amount(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}

func TestQuantile(t *testing.T) {
	values := []float64{9, 1, 4, 2, 3}
	if got := median(values); got != 3 {
		t.Errorf("median %v, want 3", got)
	}
	if got := quantile([]float64{1, 2}, 0.25); got != 1.25 {
		t.Errorf("quarter %v, want 1.25", got)
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("median of none %v", got)
	}
}
