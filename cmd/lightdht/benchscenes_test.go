package main

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// A scan finds the nearest in order, and tells another answer from its own.
func TestScan(t *testing.T) {
	s, target := testSources()["contacts"], kad.ID{0x80}
	found := scan{target: target}
	var all []kad.NodeInfo
	for i := range uint64(500) {
		found.add(s.node(i))
		all = append(all, s.node(i))
	}
	slices.SortFunc(all, func(a, b kad.NodeInfo) int { return target.CompareDistance(a.ID, b.ID) })
	if !slices.Equal(found.nearest, all[:checkNearest]) {
		t.Fatalf("got  %v\nwant %v", found.nearest, all[:checkNearest])
	}
	answer := make([]table.Contact, checkNearest)
	for i, n := range all[:checkNearest] {
		answer[i] = table.Contact{ID: n.ID, Addr: n.Addr}
	}
	if !found.is(answer) {
		t.Error("the right answer is wrong")
	}
	if found.is(answer[:7]) {
		t.Error("seven are eight")
	}
	if answer[6], answer[7] = answer[7], answer[6]; found.is(answer) {
		t.Error("the order does not matter")
	}
}

// A table that is not exact fails the run, loudly.
func TestNotExact(t *testing.T) {
	var data strings.Builder
	out, _ := newRows(&data, "text", figureColumns...)
	o := benchOptions{contacts: 2000, seed: 1}
	b := &tableBench{benchOptions: o, ctx: t.Context(), kind: "flat", out: out, screen: newScreen(io.Discard), told: time.Now()}
	b.t, b.nodes, b.size = table.NewFlat(), o.contactSource(), 2000
	if err := inOrder(b.checkAll, b.tellExact); err == nil || !strings.Contains(err.Error(), "WRONG: table flat did not find the 8 nearest: NOT exact (0 of 24), all 0 of 24") {
		t.Errorf("an empty table passes: %v", err)
	}
	if !strings.Contains(data.String(), "NOT exact (0 of 24)") {
		t.Errorf("wrote %q", data.String())
	}
}

// A search that finds too few fails the run, too.
func TestSearchFindsTooFew(t *testing.T) {
	out, _ := newRows(io.Discard, "text", figureColumns...)
	o := benchOptions{contacts: 2000, seed: 1, time: 1}
	b := &tableBench{benchOptions: o, ctx: t.Context(), kind: "flat", out: out, screen: newScreen(io.Discard), told: time.Now()}
	b.t = table.NewFlat()
	err := b.search("8 of nobody", newSource(1, forTargets, 0), 8, table.Filter{})
	if want := "WRONG: table flat, 8 of nobody: 0 found, not 8"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
