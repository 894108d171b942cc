package main

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/urfave/cli/v2"
)

// Ctrl-C ends what goes on, and tells what that leaves.
func TestWatchingInterrupted(t *testing.T) {
	app := cli.NewApp()
	app.ErrWriter = io.Discard
	c := cli.NewContext(app, nil, nil)
	ctx, cancel := context.WithCancel(t.Context())
	c.Context = ctx
	forever := make(chan error)
	defer close(forever)
	err := watching(c, "verify", "half is read", func() error { cancel(); return <-forever })
	if want := (interruptedError{"half is read"}); err != want || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	want := errors.New("unreadable")
	if err := watching(cli.NewContext(app, nil, &cli.Context{Context: t.Context()}), "verify", "", func() error { return want }); err != want {
		t.Errorf("got %v", err)
	}
}
