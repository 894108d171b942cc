package lightdht_test

import (
	"context"
	"fmt"
	"log"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/testnet"
)

// Find the peers of an infohash, here in a network on this machine.
func Example() {
	ctx := context.Background()
	infohash, err := lightdht.ParseInfohash("magnet:?xt=urn:btih:631a31dd0a46257d5078c0dee4e66e26f73e42ac")
	if err != nil {
		log.Fatal(err)
	}
	net, err := testnet.Start(ctx, testnet.Config{Nodes: 50, Seed: 1, Infohashes: []kad.ID{infohash}, Peers: 9})
	if err != nil {
		log.Fatal(err)
	}
	defer net.Close()

	node, err := lightdht.Listen("127.0.0.1:0", lightdht.Config{Bootstrap: net.Bootstrap()})
	if err != nil {
		log.Fatal(err)
	}
	defer node.Close()
	res, err := node.FindPeers(ctx, infohash)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(res.Peers), "peers, told by", len(res.Closest), "nodes around", res.Target)
	// Output: 9 peers, told by 8 nodes around 631a31dd0a46257d5078c0dee4e66e26f73e42ac
}

// Send a query and go on; the answer, or what came instead, is called back.
func ExampleNode_Go() {
	ctx := context.Background()
	a, err := lightdht.Listen("127.0.0.1:0", lightdht.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer a.Close()
	b, err := lightdht.Listen("127.0.0.1:0", lightdht.Config{ID: kad.MustParseID("6d6e6f707172737475767778797a313233343536")})
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()

	done := make(chan struct{})
	a.Go(ctx, b.Addr(kad.IPv4), krpc.FindNode{Target: a.ID()}, func(reply krpc.Reply, err error) {
		defer close(done)
		if err != nil {
			log.Print(err)
			return
		}
		fmt.Println(reply.ID, "answered; it sees us at our address:", reply.IP == a.Addr(kad.IPv4))
	})
	<-done
	// Output: 6d6e6f707172737475767778797a313233343536 answered; it sees us at our address: true
}

// Watch a lookup step by step, and leave it when you have seen enough: that ends
// the queries under way.
func ExampleNode_Lookup() {
	ctx := context.Background()
	net, err := testnet.Start(ctx, testnet.Config{Nodes: 100, Seed: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer net.Close()
	node, err := lightdht.Listen("127.0.0.1:0", lightdht.Config{Bootstrap: net.Bootstrap(), Lookup: lightdht.LookupConfig{Width: 32}})
	if err != nil {
		log.Fatal(err)
	}
	defer node.Close()

	target := kad.MustParseID("0123456789abcdef0123456789abcdef01234567")
	best := 0
	for step, err := range node.Lookup(ctx, target) {
		switch {
		case err != nil:
			log.Fatal(err)
		case step.Event == lightdht.Answered:
			best = max(best, kad.CommonPrefixLen(target, step.Node.ID))
		case step.Event == lightdht.Done:
			fmt.Println("the closest shares", best, "bits with the target")
			fmt.Println("it is", step.Result.Closest[0].ID)
		}
	}
	fmt.Println("truly", net.Closest(target, 1)[0].ID)
	// Output:
	// the closest shares 5 bits with the target
	// it is 05a3be13499867e0e9c553783cc828376d7e0771
	// truly 05a3be13499867e0e9c553783cc828376d7e0771
}

// Everything that a node ever heard of, with its history.
func ExampleNode_Contacts() {
	ctx := context.Background()
	net, err := testnet.Start(ctx, testnet.Config{Nodes: 20, Seed: 3})
	if err != nil {
		log.Fatal(err)
	}
	defer net.Close()
	node, err := lightdht.Listen("127.0.0.1:0", lightdht.Config{Bootstrap: net.Bootstrap()})
	if err != nil {
		log.Fatal(err)
	}
	defer node.Close()
	if err := node.Bootstrap(ctx); err != nil {
		log.Fatal(err)
	}

	answered := 0
	for c := range node.Contacts() {
		if c.Replies > 0 && c.LastRTT > 0 && c.Version == string(lightdht.DefaultVersion) {
			answered++
		}
	}
	fmt.Println("at least 8 of them answered:", answered >= 8)
	fmt.Println("none has failed:", node.Count(lightdht.Timeouts) == 0)
	// Output:
	// at least 8 of them answered: true
	// none has failed: true
}

// A node that notes who asks for what, and answers as always.
func ExampleTrace() {
	net, err := testnet.Start(context.Background(), testnet.Config{Nodes: 20, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer net.Close()
	asked := make(chan string, 100)
	node, err := lightdht.Listen("127.0.0.1:0", lightdht.Config{Trace: &lightdht.Trace{
		Query: func(p *lightdht.Packet) { asked <- p.Method }, // in the read loop: be quick, keep copies
	}})
	if err != nil {
		log.Fatal(err)
	}
	defer node.Close()

	if _, err := net.Nodes()[0].Ping(context.Background(), node.Addr(kad.IPv4)); err != nil {
		log.Fatal(err)
	}
	fmt.Println(<-asked)
	// Output: ping
}

// A node that answers a method of its own, and all others as always.
func ExampleMethods() {
	double := func(q *lightdht.Packet, answer *krpc.Message) bool {
		number, _ := q.Message.Lookup("n") // as it stood in the query, bencoded
		answer.Extra = fmt.Appendf(nil, "d5:twicel%s%see", number, number)
		return true
	}
	answerer, err := lightdht.Listen("127.0.0.1:0", lightdht.Config{Handler: lightdht.Methods{"double": double}.Handle})
	if err != nil {
		log.Fatal(err)
	}
	defer answerer.Close()
	asker, err := lightdht.Listen("127.0.0.1:0", lightdht.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer asker.Close()

	query := krpc.Any{Name: "double", Args: map[string]int{"n": 21}}
	reply, err := asker.Do(context.Background(), answerer.Addr(kad.IPv4), query)
	if err != nil {
		log.Fatal(err)
	}
	twice, _ := reply.Lookup("twice")
	fmt.Println(string(twice))
	// Output: li21ei21ee
}
