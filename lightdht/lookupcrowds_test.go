package lightdht_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// On the public network nodes of one /24 count as one, unless who measures wants
// them all.
func TestLookupCountsCrowds(t *testing.T) {
	inLab(t, func(l *lab) {
		all := honest(300)
		for i := range 6 {
			all.add(kad.NodeInfo{ID: beside(infohash, 100, fmt.Sprint(i)), Addr: at(fmt.Sprintf("9.9.9.%d:6881", i+1))})
		}
		l.world(ours, func(to netip.AddrPort, q *krpc.Message) *krpc.Message {
			return says(all.at[to].ID, all.closest(topicOf(q), 8)...)
		})
		a := l.public(lightdht.Config{})
		know(a, all.nodes[0], now())
		for _, crowds := range []bool{false, true} {
			var res *lightdht.LookupResult
			for step, err := range a.LookupWith(l.ctx, infohash, lightdht.LookupConfig{Crowds: crowds}) {
				if err != nil {
					t.Fatal(err)
				}
				res = step.Result
			}
			if got := slices.Equal(found(res), all.closest(infohash, 8)); got != crowds {
				t.Errorf("crowds %v: found the closest is %v: %v", crowds, got, found(res))
			}
		}
	})
}
