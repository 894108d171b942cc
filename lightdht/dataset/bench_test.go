package dataset

import (
	"encoding/binary"
	"flag"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/table"
)

var huge = flag.Bool("huge", false, "benchmark with 10 M contacts besides")

// sizes are the numbers of contacts that benchmarks have.
func sizes() []int {
	if *huge {
		return []int{1e6, 1e7}
	}
	return []int{1e6}
}

// seen makes the i-th sighting of a network where each contact has another ID.
func seen(i int, s *record.Sighting) {
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
	s.Event, s.Version, s.RTT = record.Mentioned, nil, 0
	if i%3 == 0 {
		s.Event, s.Version, s.RTT = record.Replied, versions[x%uint64(len(versions))], time.Duration(x%300)*time.Millisecond
	}
}

var versions = [][]byte{[]byte("LT\x02\x00"), []byte("UT\xb4\x11"), []byte("LT\x01\x02"), []byte("TR\x00\x01")}

// BenchmarkRecord is what a node waits for when it tells a run of a sighting: of a
// new contact each time, and of one of a thousand.
func BenchmarkRecord(b *testing.B) {
	for _, contacts := range []int{1 << 30, 1000} {
		name := "new"
		if contacts == 1000 {
			name = "known"
		}
		b.Run(name, func(b *testing.B) {
			r := begin(b, newStore(b), Settings{})
			s := &record.Sighting{Time: time.Now()}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				seen(i%contacts, s)
				r.Record(s)
				i++
			}
			report(b, float64(i), "records/s")
			if r.Lost() > 0 {
				b.Logf("%d of %d lost", r.Lost(), i)
			}
		})
	}
}

func report(b *testing.B, n float64, unit string) {
	b.ReportMetric(n/b.Elapsed().Seconds(), unit)
}

// BenchmarkJournal is from Record to the file: every contact is another one, and
// each record one that is written.
func BenchmarkJournal(b *testing.B) {
	const records = 1_000_000
	for b.Loop() {
		r := begin(b, newStore(b), Settings{segment: 1 << 40})
		s := &record.Sighting{Time: time.Now()}
		for i := range records {
			seen(i, s)
			r.Record(s)
			if i%heapFull == 0 {
				r.Flush()
			}
		}
		r.Flush()
		if r.tallied != records {
			b.Fatalf("%d written", r.tallied)
		}
		b.ReportMetric(float64(r.contacts.out.size)/records, "B/record")
		b.StopTimer()
		r.Close()
		b.StartTimer()
	}
	report(b, float64(b.N)*records, "records/s")
}

// filled returns a store of so many contacts, from one run.
func filled(b *testing.B, contacts int) *Store {
	b.Helper()
	s := newStore(b)
	r := begin(b, s, Settings{})
	row := &record.Sighting{Time: time.Now()}
	for i := range contacts {
		seen(i, row)
		r.Record(row)
		if i%heapFull == 0 {
			r.Flush()
		}
	}
	finish(b, r)
	return s
}

// BenchmarkContacts reads a store through, and BenchmarkReplay into a table.
func BenchmarkContacts(b *testing.B) {
	for _, n := range sizes() {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := filled(b, n)
			for b.Loop() {
				if got := countContacts(b, s); got != n {
					b.Fatalf("%d contacts", got)
				}
			}
			report(b, float64(b.N*n), "contacts/s")
		})
	}
}

func countContacts(b *testing.B, s *Store) (n int) {
	for _, err := range s.Contacts(Filter{}) {
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
	return n
}

func BenchmarkReplay(b *testing.B) {
	for _, n := range sizes() {
		for _, kind := range []string{"prefix", "flat"} {
			b.Run(fmt.Sprint(kind, "/", n), func(b *testing.B) {
				s := filled(b, n)
				for b.Loop() {
					t, _ := table.New(kind)
					for c, err := range s.Contacts(Filter{}) {
						if err != nil {
							b.Fatal(err)
						}
						t.Restore(c.Tally.Contact())
					}
					if t.Len() != n {
						b.Fatalf("%d contacts", t.Len())
					}
				}
				report(b, float64(b.N*n), "contacts/s")
			})
		}
	}
}
