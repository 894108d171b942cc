// Package server is what peerbench measures of lightdht: a node as a researcher
// would start it, socket and all, in a process of its own. Two others show what
// the machine gives: a loop that answers without looking anything up, and one
// that does so with many packets in a system call.
package server

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/netip"

	"github.com/lightdht/lightdht/scripts/peerbench/load"
)

// The kinds of servers.
const (
	Node = "node" // lightdht
	Loop = "loop" // reads a query, writes the same answer to all, and again
	Echo = "echo" // the same, many in a system call: see load.Echo
)

// Run is a program of its own: it answers until ctx is done.
func Run(ctx context.Context, args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.SetOutput(stderr)
	listen := flags.String("listen", "127.0.0.1:6881", "`address` to listen on")
	kind := flags.String("kind", Node, "what answers: node, loop or echo")
	contacts := flags.Int("contacts", 0, "contacts that the node's table holds from the beginning")
	if flags.Parse(args) != nil {
		return 2
	}
	addr, err := netip.ParseAddrPort(*listen)
	if err != nil || !addr.Addr().IsLoopback() || flags.NArg() > 0 {
		fmt.Fprintln(stderr, "peerbench serve: give -listen an address of 127.0.0.0/8 with a port, and no further arguments")
		return 2
	}
	switch *kind {
	case Node:
		err = serveNode(ctx, addr, *contacts)
	case Loop:
		err = serveLoop(ctx, addr)
	case Echo:
		err = load.Echo(ctx, addr)
	default:
		fmt.Fprintf(stderr, "peerbench serve: no kind %q: choose node, loop or echo\n", *kind)
		return 2
	}
	if err != nil {
		fmt.Fprintln(stderr, "peerbench serve:", err)
		return 1
	}
	return 0
}
