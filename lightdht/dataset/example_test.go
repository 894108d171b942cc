package dataset_test

import (
	"fmt"
	"log"
	"net/netip"
	"os"
	"time"

	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
)

// A run is told what a node sees, here by hand, and is read back.
func Example() {
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	store, err := dataset.Create(dir, "lab")
	if err != nil {
		log.Fatal(err)
	}
	run, err := store.Begin(dataset.Manifest{Command: "example"}, dataset.Settings{})
	if err != nil {
		log.Fatal(err)
	}
	node := kad.NodeInfo{ID: kad.MustParseID("0123456789abcdef0123456789abcdef01234567"), Addr: netip.MustParseAddrPort("192.0.2.1:6881")}
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	run.Record(&record.Sighting{Time: at, Node: node, Event: record.Mentioned})
	run.Record(&record.Sighting{Time: at.Add(time.Minute), Node: node, Event: record.Replied, RTT: 30 * time.Millisecond, Version: []byte("LT")})
	if err := run.Close(); err != nil {
		log.Fatal(err)
	}
	for c, err := range store.Contacts(dataset.Filter{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(c.Node, "first seen", c.First.Time(), "replies", c.Replies, "of", c.Runs, "run")
	}
	// Output:
	// 0123456789abcdef0123456789abcdef01234567@192.0.2.1:6881 first seen 2026-11-20 12:00:00 +0000 UTC replies 1 of 1 run
}
