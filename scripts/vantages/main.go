// Command vantages counts who asks at many places of the ID space: nodes with IDs
// evenly spread, each at a port of its own, all with the same tables and limits.
//
//	go run ./cmd/lightdht testnet --nodes 200    # prints where to begin, HOST:PORT
//	go run ./scripts/vantages -every 2s HOST:PORT
//
// Without a HOST:PORT it joins the public network. Ctrl-C ends it with a last count:
// the queriers (an ID at an address) since the start of each vantage, of 1 or more of
// them, of 2 or more, and so on; no row: none. That is capture and recapture: two with
// n1 and n2, m the same, let Chapman estimate (n1+1)(n2+1)/(m+1)-1 queriers in all, if
// each comes to all alike. They do not: who lives near a vantage comes there more often.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"slices"
	"sync"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
)

func main() {
	n := flag.Int("n", 8, "how many `VANTAGES`")
	every := flag.Duration("every", time.Minute, "`TIME` between two counts")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	cfg := lightdht.Config{Bootstrap: flag.Args(), Logger: slog.Default()}
	var mu sync.Mutex // each vantage has goroutines of its own
	ids, asked, counts := kad.Spread(kad.RandomID(), *n), map[kad.NodeInfo][]kad.ID{}, map[string]int{}
	cfg.Trace = &lightdht.Trace{Query: func(p *lightdht.Packet) {
		mu.Lock()
		defer mu.Unlock()
		who, at := kad.NodeInfo{ID: p.Message.ID, Addr: p.Addr}, p.Node.ID()
		if !slices.Contains(asked[who], at) && !slices.Contains(ids, who.ID) { // new, and no vantage
			asked[who] = append(asked[who], at)
			counts[at.String()]++
			counts[fmt.Sprintf("of %d or more", len(asked[who]))]++
		}
	}}
	for _, cfg.ID = range ids {
		node, err := lightdht.Listen(":0", cfg)
		check(err)
		defer node.Close()
		cfg.Share = node // its tables, and its limits on sending
		if err := node.Bootstrap(ctx); err != nil && ctx.Err() == nil {
			log.Print(err) // it tries on, and others may find it
		}
	}
	fmt.Println("time,vantage,queriers")
	for tick := time.Tick(*every); ctx.Err() == nil; {
		select {
		case <-tick:
		case <-ctx.Done():
		}
		mu.Lock()
		now := maps.Clone(counts)
		mu.Unlock()
		for _, name := range slices.Sorted(maps.Keys(now)) {
			fmt.Printf("%s,%s,%d\n", time.Now().UTC().Format(time.RFC3339), name, now[name])
		}
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
