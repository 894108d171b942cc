package export_test

import (
	"fmt"
	"log"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/lightdht/lightdht/lightdht/export"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// Contacts of a table become a file that a notebook reads, and are read back.
func Example() {
	known := table.NewFlat()
	known.Observe(table.Sighting{
		Node: kad.NodeInfo{ID: kad.MustParseID("0123456789abcdef0123456789abcdef01234567"), Addr: netip.MustParseAddrPort("192.0.2.1:6881")},
		Time: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), Event: table.Replied, RTT: 30 * time.Millisecond,
	})
	name := filepath.Join(os.TempDir(), fmt.Sprint("example-", os.Getpid(), ".csv"))
	defer os.Remove(name)
	file, err := os.Create(name)
	if err != nil {
		log.Fatal(err)
	}
	rows, err := export.Source{Columns: []string{"id", "ip", "first_seen", "rtt_us"}}.Seen(known.All())
	if err != nil {
		log.Fatal(err)
	}
	w, err := export.NewWriter(file, export.CSV, rows.Schema, export.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if err := rows.Write(w, func(int) error { return nil }); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	file.Close()

	back, err := export.Read(name)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(back.Schema.Names())
	for b, err := range back.Rows {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(b.Cols[0].IDs[0], b.Cols[1].Addrs[0], time.UnixMicro(b.Cols[2].Ints[0]).UTC(), b.Cols[3].Ints[0])
	}
	// Output:
	// [id ip first_seen rtt_us]
	// 0123456789abcdef0123456789abcdef01234567 192.0.2.1 2026-11-20 12:00:00 +0000 UTC 30000
}
