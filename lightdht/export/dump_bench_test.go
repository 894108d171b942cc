package export

import (
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
)

var huge = flag.Bool("huge", false, "benchmark with 10 M contacts besides")

// filled returns a store of so many contacts, a third of which answered.
func filled(b *testing.B, contacts int) *dataset.Store {
	b.Helper()
	s, err := dataset.Create(b.TempDir(), "bench")
	if err != nil {
		b.Fatal(err)
	}
	run, err := s.Begin(dataset.Manifest{}, dataset.Settings{SyncEvery: -1})
	if err != nil {
		b.Fatal(err)
	}
	row := &record.Sighting{Time: time.Now()}
	for i := range contacts {
		sight(i, row)
		run.Record(row)
		if i%(1<<16) == 0 {
			run.Flush()
		}
	}
	if err := run.Close(); err != nil || run.Lost() > 0 {
		b.Fatalf("%d lost, %v", run.Lost(), err)
	}
	return s
}

// sight makes the i-th sighting, each of another contact.
func sight(i int, s *record.Sighting) {
	var id kad.ID
	x := uint64(i)*0x9e3779b97f4a7c15 + 1
	for j := 0; j < 20; j += 4 {
		x ^= x >> 29
		x *= 0xbf58476d1ce4e5b9
		binary.BigEndian.PutUint32(id[j:], uint32(x>>32))
	}
	ip := [4]byte{byte(20 + x%80), byte(x >> 8), byte(x >> 16), byte(x >> 24)}
	s.Node = kad.NodeInfo{ID: id, Addr: netip.AddrPortFrom(netip.AddrFrom4(ip), uint16(1024+x>>40))}
	s.Time = s.Time.Add(50 * time.Microsecond)
	s.Event, s.Version, s.RTT, s.BEPs = record.Mentioned, nil, 0, 0
	if i%3 == 0 {
		s.Event, s.RTT, s.BEPs = record.Replied, time.Duration(x%300)*time.Millisecond, record.BEP42
		s.Version = []byte{'L', 'T', 1, byte(x % 200)}
	}
}

// BenchmarkDump is from the files of a store to a file in each format, written to
// nowhere but for SQLite.
func BenchmarkDump(b *testing.B) {
	n := 1_000_000
	if *huge {
		n = 10_000_000
	}
	store := filled(b, n)
	for _, f := range []Format{CSV, NDJSON, JSON, Parquet, TextLines, SQLite} {
		b.Run(fmt.Sprint(f, "/", n), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				dumpOnce(b, store, f, filepath.Join(b.TempDir(), fmt.Sprint(i, ".db")), n)
			}
			b.ReportMetric(float64(b.N)*float64(n)/b.Elapsed().Seconds(), "rows/s")
		})
	}
	b.Run("none", func(b *testing.B) {
		for b.Loop() {
			table, _ := Source{}.Open(store, Contacts)
			for batch, err := range table.Rows {
				if err != nil {
					b.Fatal(err)
				}
				batch.Release()
			}
		}
		b.ReportMetric(float64(b.N)*float64(n)/b.Elapsed().Seconds(), "rows/s")
	})
}

func dumpOnce(b *testing.B, store *dataset.Store, f Format, name string, want int) {
	table, err := Source{}.Open(store, Contacts)
	if err != nil {
		b.Fatal(err)
	}
	var w Writer
	if f == SQLite {
		w, err = NewSQLite(name, table.Schema, Options{})
	} else {
		w, err = NewWriter(io.Discard, f, table.Schema, Options{})
	}
	if err != nil {
		b.Fatal(err)
	}
	rows := 0
	if err := table.Write(w, func(n int) error { rows += n; return nil }); err != nil {
		b.Fatal(err)
	}
	if err := w.Close(); err != nil || rows != want {
		b.Fatalf("%d rows, %v", rows, err)
	}
}
