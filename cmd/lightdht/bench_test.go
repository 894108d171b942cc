package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"
)

// benchArgs reads options as the program does.
func benchArgs(t *testing.T, args ...string) (o benchOptions, err error) {
	app := newApp(strings.NewReader(""), io.Discard, io.Discard)
	app.Command("bench").Action = func(c *cli.Context) (err error) { o, err = readBenchOptions(c); return err }
	args, err = flagsFirst(app, append([]string{"lightdht", "bench"}, args...))
	if err != nil {
		t.Fatal(err)
	}
	return o, app.Run(args)
}

func TestBenchContacts(t *testing.T) {
	for in, want := range map[string]int{
		"100": 100, "1000": 1000, "100k": 100_000, "1M": 1_000_000, "10M": 10_000_000, "10m": 10_000_000, "1000M": 1_000_000_000,
	} {
		if o, err := benchArgs(t, "table", "--contacts", in); err != nil || o.contacts != want {
			t.Errorf("%s: read as %d, %v", in, o.contacts, err)
		}
	}
	var usage usageError
	for _, in := range []string{"", "0", "99", "-1", "-1M", "1001M", "1G", "1.5M", "many", "99999999999999999999"} {
		if o, err := benchArgs(t, "table", "--contacts", in); !errors.As(err, &usage) {
			t.Errorf("%q: read as %d, %v", in, o.contacts, err)
		}
	}
	if o, err := benchArgs(t, "table"); err != nil || o.contacts != 1_000_000 || !slices.Equal(o.kinds, []string{"flat", "prefix"}) {
		t.Errorf("by default %+v, %v", o, err)
	}
}

// cancelling cancels when something is written to it.
type cancelling struct {
	cancel  context.CancelFunc
	written strings.Builder
}

func (c *cancelling) Write(p []byte) (int, error) {
	c.cancel()
	return c.written.Write(p)
}

// What was measured before Ctrl-C is written, and is a table.
func TestBenchInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	data := cancelling{cancel: cancel}
	out, err := newRows(&data, "json", figureColumns...)
	if err != nil {
		t.Fatal(err)
	}
	o := benchOptions{contacts: 2000, kinds: []string{"prefix", "flat"}, seed: 1, time: time.Millisecond}
	if err := benchTables(ctx, o, out, newScreen(io.Discard)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if table, err := parseTable("json", data.written.String()); err != nil || len(table) == 0 || len(table) > 2 {
		t.Errorf("%d rows, %v, in %q", len(table), err, data.written.String())
	}
}

// Each part of the work ends with the context, though an hour is to be measured.
func TestBenchPartsEnd(t *testing.T) {
	out, _ := newRows(io.Discard, "text", figureColumns...)
	o := benchOptions{contacts: 2000, kinds: []string{"prefix"}, seed: 1, time: time.Millisecond}
	b := &tableBench{benchOptions: o, ctx: t.Context(), kind: "prefix", out: out, screen: newScreen(io.Discard), told: time.Now()}
	b.begin()
	if err := b.fill(); err != nil {
		t.Fatal(err)
	}
	b.time = time.Hour
	for name, part := range map[string]func() error{
		"collect": b.collect, "alone": b.alone, "iterate": b.iterate, "newAtWork": b.newAtWork, "knownAtWork": b.knownAtWork,
		"crowd": b.crowd, "mostBad": b.mostBad, "similar": b.similar, "fill": b.fill,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		b.ctx = ctx
		if err := part(); name != "newAtWork" && !errors.Is(err, context.DeadlineExceeded) { // that one ends with the contacts
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}
