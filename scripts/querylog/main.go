// Command querylog measures what others ask: a node that keeps its place in the
// network, looks no further, answers as any other, and writes each query as a row.
//
//	go run ./cmd/lightdht testnet --nodes 200    # prints where to begin, HOST:PORT
//	go run ./scripts/querylog HOST:PORT >queries.csv
//
// Without a HOST:PORT it joins the public network. Ctrl-C ends it. A row has the
// time in UTC, the ID that the asker told, its address, the method, and the infohash
// or target that the query is about. Rows are queries, not people: IDs can be made
// up, addresses are shared, and most of who asks lives near our ID or looks there.
package main

import (
	"context"
	"encoding/csv"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"sync/atomic"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

func main() {
	listen := flag.String("listen", ":0", "`HOST:PORT` to listen on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	cfg := lightdht.Config{Bootstrap: flag.Args(), Logger: slog.Default()} // its Upkeep does not Discover
	skipped, rows := atomic.Uint64{}, make(chan []string, 4096)
	rows <- []string{"time", "querier_id", "ip", "port", "method", "target"}
	cfg.Trace = &lightdht.Trace{Query: func(p *lightdht.Packet) {
		select {
		case rows <- row(p):
		default: // a hook must not wait for a slow disk
			skipped.Add(1)
		}
	}}
	node, err := lightdht.Listen(*listen, cfg)
	check(err)
	if err := node.Bootstrap(ctx); err != nil && ctx.Err() == nil {
		log.Print(err) // the node tries on, and others may find it
	}
	context.AfterFunc(ctx, func() { node.Close(); close(rows) }) // after Close no hook is called
	out := csv.NewWriter(os.Stdout)
	for row := range rows {
		out.Write(row)
		out.Flush()
		check(out.Error())
	}
	log.Printf("%d queries came too fast to be written", skipped.Load())
}

func row(p *lightdht.Packet) []string {
	id, target := "", ""
	if p.Message.Has(krpc.FieldID) {
		id = p.Message.ID.String()
	}
	if topic, ok := p.Message.Topic(); ok {
		target = topic.String()
	}
	at, ip, port := p.Time.UTC().Format("2006-01-02T15:04:05.000000Z"), p.Addr.Addr().String(), fmt.Sprint(p.Addr.Port())
	return []string{at, id, ip, port, krpc.VersionText(p.Method), target}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
