// Package load asks a DHT node on this machine as many questions as it answers,
// and says how many that are, while taking little of the machine itself.
//
//	g, err := load.New(load.Config{Server: addr})
//	defer g.Close()
//	err = g.Introduce(ctx) // the server meets the crowd
//	res, err := g.Measure(ctx, load.Work{Span: 2 * time.Second, PID: pid})
//
// Whoever asks is a crowd: members with an ID and an address of 127.0.0.0/8
// each, behind one socket. They are what the server's table is filled with, too:
// what it asks them they answer, before a measurement and during it.
//
//	        ┌──────── window queries under way, by turns from each member ────────┐
//	crowd ──┤ one sendmmsg, 16 datagrams of one member a message (UDP_SEGMENT)     ├─► server
//	        └◄─ one recvmmsg for up to 64 answers; asleep when there are few ──────┘
//
// The loop is closed: a query is sent when another was answered, or given up
// after Config.Patience. An answer counts when it comes from the server, is a
// reply with the transaction id of a query that waits, and holds a node list.
// Errors, replies without nodes, late and unreadable datagrams are counted apart.
//
// A generator that waits for packets would have the server wake it again and
// again, which costs the server more than an answer does. This one looks, and
// sleeps for a fixed time when little was there; the server never has to wake
// anybody, and, with the window large enough, is never out of work. So the
// latencies are those of a server that is always behind, about window divided by
// answers a second, and compare servers; a lightly loaded one would be quicker.
//
// Linux only.
package load
