package memory

import (
	"context"
	"fmt"
	"time"

	"github.com/lightdht/lightdht/scripts/peerbench/contest"
)

// serveContest is find_node for random targets, from datagram to datagram.
func (o *offer) serveContest(span time.Duration) contest.Contest {
	serve := func(name string, ready func(context.Context, *offer) error, far func() *questions, k *keeping) contest.Entrant {
		e := timing(name, span, func(ctx context.Context) (work, error) {
			err := ready(ctx, o)
			return func(ctx context.Context, n int) error { return far().ask(ctx, n) }, err
		})
		run := e.Run
		e.Run = func(ctx context.Context) (float64, string, error) {
			figure, note, err := run(ctx)
			return figure, fmt.Sprintf("%s; knows %d", note, k.kept), err
		}
		return e
	}
	return contest.Contest{
		Name: "answer find_node, " + short(o.size) + " contacts offered", Unit: "ns",
		Entrants: []contest.Entrant{
			serve(lightName, o.light.ready, func() *questions { return o.light.far }, &o.light.keeping),
			serve(otherName, o.other.ready, func() *questions { return o.other.far }, &o.other.keeping),
		},
	}
}
