package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/lightdht/lightdht/lightdht"
)

// crowd is this program as nodes of ours, one at each address, which look around
// until they are interrupted. It says "ready" on stderr when all have joined and
// returns the exit status.
func crowd(addrs []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	for i, addr := range addrs {
		node, err := explorer(ctx, "crowd "+strconv.Itoa(i), addr, addrs[:min(i, 1)])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer node.Close()
	}
	fmt.Fprintln(os.Stderr, "ready")
	<-ctx.Done()
	return 0
}

// explorer starts a node that looks around once it has joined, which it has when
// this returns. Its ID is that of its purpose.
func explorer(ctx context.Context, purpose, addr string, bootstrap []string) (*lightdht.Node, error) {
	node, err := lightdht.Listen(addr, lightdht.Config{
		ID: hashOf(purpose), Network: lightdht.Private, Bootstrap: bootstrap,
	})
	if err != nil {
		return nil, err
	}
	if err := node.Bootstrap(ctx); err != nil {
		node.Close()
		return nil, err
	}
	go node.Explore(ctx)
	return node, nil
}
