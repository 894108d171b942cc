// Command rtts measures round trips: it looks around for a time, then pings all good
// contacts in turn, -n times over, with no more than 64 pings under way at once.
//
//	go run ./cmd/lightdht testnet --nodes 200    # prints where to begin, HOST:PORT
//	go run ./scripts/rtts -for 5s HOST:PORT >rtts.csv
//
// Without a HOST:PORT it joins the public network. Ctrl-C ends it with what there is:
// of each contact how many of n pings it answered, and after how many microseconds,
// empty when none. The least is nearest to the way itself, the rest is waiting.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"slices"
	"sync"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/table"
)

func main() {
	lasts := flag.Duration("for", time.Minute, "how long to look around")
	n := flag.Int("n", 10, "pings to each contact")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	node, err := lightdht.Listen(":0", lightdht.Config{Bootstrap: flag.Args()})
	if err != nil {
		log.Fatal(err)
	}
	defer node.Close()
	look, enough := context.WithTimeout(ctx, *lasts)
	defer enough()
	if err := node.Explore(look); err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
	good := slices.DeleteFunc(slices.Collect(node.Contacts()), func(c table.Contact) bool {
		return c.State(time.Now()) != table.StateGood || c.Router || c.ReadOnly
	})
	log.Printf("pinging %d good contacts of %d", len(good), node.Len())
	sent, rtts := make([]int, len(good)), make([][]time.Duration, len(good))
	mu, room := sync.Mutex{}, make(chan struct{}, 64) // callbacks have goroutines of their own
	for i := 0; i < *n*len(good) && ctx.Err() == nil; i++ {
		room <- struct{}{}
		node.AskGo(ctx, good[i%len(good)].Info(), krpc.Ping{}, func(reply krpc.Reply, err error) {
			mu.Lock()
			if k := i % len(good); err == nil && !reply.Unexpected() {
				sent[k], rtts[k] = sent[k]+1, append(rtts[k], reply.RTT)
			} else if ctx.Err() == nil {
				sent[k]++
			}
			mu.Unlock()
			<-room
		})
	}
	for range cap(room) {
		room <- struct{}{} // until the last has ended
	}
	fmt.Println("id,ip,port,client,n,answered,min_us,median_us,max_us")
	for i, c := range good {
		us := ",,"
		if r := rtts[i]; len(r) > 0 {
			slices.Sort(r)
			us = fmt.Sprintf("%d,%d,%d", r[0].Microseconds(), r[len(r)/2].Microseconds(), r[len(r)-1].Microseconds())
		}
		fmt.Printf("%s,%s,%d,%s,%d,%d,%s\n", c.ID, c.Addr.Addr(), c.Addr.Port(), krpc.ClientCode(c.Version), sent[i], len(rtts[i]), us)
	}
	if all := slices.Concat(rtts...); len(all) > 0 {
		slices.Sort(all)
		log.Printf("%d pings were answered, half of them within %s", len(all), all[len(all)/2])
	}
}
