package export

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// contactColumns are those of a table of contacts, the widest and longest that is
// exported.
var contactColumns = Schema{
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

// addContact adds a row as a crawl leaves them: most contacts never answered.
func addContact(b *Batch, r *rand.Rand) {
	c := b.Cols
	seen := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC).UnixMicro() + r.Int64N(30*day)
	texts := map[int]string{
		0: "0195f2d4-7c3a-7e11-9f6b-2b8a54c1d0e3", 5: "ipv4", 6: []string{"good", "unknown", "dead"}[r.IntN(3)],
		7: []string{"libtorrent", "uTorrent", "Transmission"}[r.IntN(3)], 8: []string{"LT0120", "UT3550"}[r.IntN(2)],
		21: []string{"crawl", "query"}[r.IntN(2)], 22: "5 32 42 43",
	}
	var id kad.ID
	for i := range id {
		id[i] = byte(r.Uint32())
	}
	for i, column := range contactColumns {
		switch v := &c[i]; {
		case (i == 11 || i == 12) && r.IntN(10) < 7 || i == 13 && r.IntN(10) < 6:
			v.AddAbsent()
		case column.Type == Text:
			v.AddText(texts[i])
		case column.Type == ID:
			v.AddID(id)
		case column.Type == Addr:
			v.AddAddr(netip.AddrFrom4([4]byte{byte(1 + r.IntN(220)), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())}))
		case column.Type == Time:
			v.AddInt(seen + r.Int64N(day))
		case column.Type == Bool:
			v.AddBool(r.IntN(4) == 0)
		case i == 4:
			v.AddInt(int64(1024 + r.IntN(64000)))
		case i == 13:
			v.AddInt(int64(r.IntN(900_000)))
		default:
			v.AddInt(int64(r.IntN(12)))
		}
	}
	b.Len++
}

func contacts(rows int) *Batch {
	b, r := contactColumns.NewBatch(), rand.New(rand.NewPCG(1, 2))
	for range rows {
		addContact(b, r)
	}
	return b
}

// discarded counts bytes.
type discarded struct{ n int64 }

func (d *discarded) Write(p []byte) (int, error) {
	d.n += int64(len(p))
	return len(p), nil
}

// fillFrom copies the values of a batch into one of a pool.
func fillFrom(dst, src *Batch) *Batch {
	for i := range src.Cols {
		d, s := &dst.Cols[i], &src.Cols[i]
		d.Null, d.IDs, d.Addrs = append(d.Null, s.Null...), append(d.IDs, s.IDs...), append(d.Addrs, s.Addrs...)
		d.Texts, d.Ints, d.Floats = append(d.Texts, s.Texts...), append(d.Ints, s.Ints...), append(d.Floats, s.Floats...)
	}
	dst.Len = src.Len
	return dst
}

func BenchmarkLines(b *testing.B) {
	for _, f := range []Format{CSV, NDJSON, JSON, TextLines} {
		b.Run(string(f), func(b *testing.B) {
			full, get := contacts(BatchRows), contactColumns.Pool()
			var out discarded
			w, err := newLines(&out, f, contactColumns, Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			rows := 0
			for b.Loop() {
				w.Write(fillFrom(get(), full))
				rows += BatchRows
			}
			if err := w.Close(); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(out.n)/float64(rows), "B/row")
		})
	}
}

// BenchmarkRows is the encoding alone, on one goroutine.
func BenchmarkRows(b *testing.B) {
	for name, l := range map[string]*layout{
		"csv": csvLayout(contactColumns, Options{}), "ndjson": ndjsonLayout(contactColumns, Options{}),
	} {
		b.Run(name, func(b *testing.B) {
			full := contacts(BatchRows)
			var dst []byte
			rows := 0
			for b.Loop() {
				for from := 0; from < full.Len; from += pieceRows {
					dst = l.appendRows(dst[:0], full, from, from+pieceRows, false)
				}
				rows += full.Len
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
