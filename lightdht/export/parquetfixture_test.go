package export

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// contactLike is a schema as wide as that of contacts: what the benchmarks and
// the bounds on memory are about.
var contactLike = Schema{
	{Name: "run", Type: Text}, {Name: "runs", Type: Int}, {Name: "id", Type: ID},
	{Name: "ip", Type: Addr}, {Name: "port", Type: Int}, {Name: "family", Type: Text},
	{Name: "state", Type: Text}, {Name: "client", Type: Text}, {Name: "version", Type: Text},
	{Name: "first_seen", Type: Time}, {Name: "last_seen", Type: Time},
	{Name: "last_query", Type: Time}, {Name: "last_reply", Type: Time},
	{Name: "rtt_us", Type: Int}, {Name: "failures", Type: Int}, {Name: "unanswered", Type: Int},
	{Name: "mentions", Type: Int}, {Name: "queries", Type: Int}, {Name: "replies", Type: Int},
	{Name: "read_only", Type: Bool}, {Name: "router", Type: Bool}, {Name: "origin", Type: Text},
	{Name: "beps", Type: Text}, {Name: "bep42_ok", Type: Bool},
}

// contactBatches returns n full batches of made-up contacts, the same ones each
// time. No two rows have the same ID; some share an address.
func contactBatches(n int) []*Batch {
	rng := rand.New(rand.NewPCG(1, 2))
	batches := make([]*Batch, n)
	for i := range batches {
		b := contactLike.NewBatch()
		for !b.Full() {
			addWide(b, rng)
		}
		batches[i] = b
	}
	return batches
}

func addWide(b *Batch, rng *rand.Rand) {
	col := func(name string) *Vector { return &b.Cols[contactLike.Index(name)] }
	seen := 1_760_000_000_000_000 + rng.Int64N(30*86400e6)
	col("run").AddText("20261001T000000Z-0001")
	col("runs").AddInt(1)
	col("id").AddID(someID(rng))
	col("ip").AddAddr(netip.AddrFrom4([4]byte{byte(1 + rng.IntN(200)), byte(rng.IntN(256)), byte(rng.IntN(256)), 7}))
	col("port").AddInt(1024 + rng.Int64N(64000))
	col("family").AddText("ipv4")
	col("state").AddText([]string{"good", "questionable", "dead"}[rng.IntN(3)])
	col("client").AddText([]string{"libtorrent", "utorrent", "transmission", "other"}[rng.IntN(4)])
	col("version").AddText(fmt.Sprintf("LT%04x", rng.IntN(200)))
	col("first_seen").AddInt(seen)
	col("last_seen").AddInt(seen + rng.Int64N(86400e6))
	mostlyAbsent(col("last_query"), rng, 70, seen)
	mostlyAbsent(col("last_reply"), rng, 70, seen)
	mostlyAbsent(col("rtt_us"), rng, 60, 1000+rng.Int64N(400_000))
	for _, name := range []string{"failures", "unanswered", "mentions", "queries", "replies"} {
		col(name).AddInt(rng.Int64N(1 + rng.Int64N(12)))
	}
	col("read_only").AddBool(rng.IntN(20) == 0)
	col("router").AddBool(false)
	col("origin").AddText([]string{"query", "reply", "mention", "seed", "file"}[rng.IntN(5)])
	col("beps").AddText([]string{"5", "5 32", "5 32 42", "5 32 42 51"}[rng.IntN(4)])
	col("bep42_ok").AddBool(rng.IntN(2) == 0)
	b.Len++
}

func mostlyAbsent(v *Vector, rng *rand.Rand, percent int, n int64) {
	if rng.IntN(100) < percent {
		v.AddAbsent()
		return
	}
	v.AddInt(n + rng.Int64N(1e6))
}

func someID(rng *rand.Rand) (id kad.ID) {
	for i := range id {
		id[i] = byte(rng.Uint32())
	}
	return id
}

// copyBatch returns the rows of b in a batch of pool.
func copyBatch(pool func() *Batch, b *Batch) *Batch {
	c := pool()
	for i := range b.Cols {
		from, to := &b.Cols[i], &c.Cols[i]
		to.Null = append(to.Null, from.Null...)
		to.IDs = append(to.IDs, from.IDs...)
		to.Addrs = append(to.Addrs, from.Addrs...)
		to.Texts = append(to.Texts, from.Texts...)
		to.Ints = append(to.Ints, from.Ints...)
		to.Floats = append(to.Floats, from.Floats...)
	}
	c.Len = b.Len
	return c
}

// benchmarkContacts writes some 524 k contacts an iteration through the writers
// that open returns, and tells how many rows went through in a second. It returns
// how many an iteration has.
func benchmarkContacts(b *testing.B, open func(round int) Writer) float64 {
	const times = 8
	batches := contactBatches(16)
	pool := contactLike.Pool()
	rows, round := 0, 0
	b.ReportAllocs()
	for b.Loop() {
		w := open(round)
		for i := range times * len(batches) {
			src := batches[i%len(batches)]
			rows += src.Len
			if err := w.Write(copyBatch(pool, src)); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		round++
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	return float64(rows / round)
}
