//go:build !race

package lightdht

import (
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/table"
)

// heedless is a Recorder that counts.
type heedless struct{ rows int }

func (h *heedless) Record(record.Row) { h.rows++ }

// Neither a query to us nor a mention allocates because it is recorded, and a query
// of ours no more than its reply.
func TestRecordingAllocatesNothing(t *testing.T) {
	var told, asked heedless
	n, echoing := recording(t, newWire(), 1000, &told), recording(t, newEcho(), 0, &asked)
	info := kad.NodeInfo{ID: kad.ID{2}, Addr: asker} // who is known to answer is not greeted
	n.ends[0].table().Observe(table.Sighting{Node: info, Time: time.Now(), Event: table.Replied})
	naming := krpc.Message{Nodes: krpc.AppendNode(nil, info)}
	find := encoded(krpc.FindNode{Target: kad.ID{3}})
	for name, c := range map[string]struct {
		f    func()
		most float64
		h    *heedless
		rows int
	}{
		"query":   {func() { n.receive(n.ends[0], find, asker, time.Now()) }, 0, &told, 2},
		"mention": {func() { n.mention(&naming, asker, time.Now()) }, 0, &told, 1},
		"Do":      {func() { echoing.Ping(t.Context(), asker) }, 1, &asked, 2},
	} {
		before := c.h.rows
		const runs = 200
		if got := testing.AllocsPerRun(runs, c.f); got > c.most {
			t.Errorf("%s: %v allocations", name, got)
		}
		if got := c.h.rows - before; got != (runs+1)*c.rows {
			t.Errorf("%s: %d rows of %d", name, got, (runs+1)*c.rows)
		}
	}
}
