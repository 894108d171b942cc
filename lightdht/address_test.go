package lightdht_test

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// nowhere are addresses that nobody can have, in any network.
var nowhere = []string{
	"0.0.0.0:1", "0.1.2.3:1", "224.0.0.1:1", "239.255.255.255:6881", "255.255.255.255:1", "10.0.0.7:0",
	"[::]:1", "[ff02::1]:1", "[ff0e::5]:6881", "[fd00::7]:0",
}

// Where nobody can be nobody is asked, though a node list names it and though
// the network is private.
func TestImpossibleAddresses(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node("", lightdht.Config{Conn4: l.listen(addrA), Conn6: l.listen(addrA6)})
		var list krpc.Message
		for _, addr := range nowhere {
			info := kad.NodeInfo{ID: idOf(addr), Addr: at(addr)}
			if info.Addr.Addr().Is4() {
				list.Nodes = krpc.AppendNode(list.Nodes, info)
			} else {
				list.Nodes6 = krpc.AppendNode(list.Nodes6, info)
			}
		}
		list.Fields = krpc.FieldNodes | krpc.FieldNodes6
		b := l.peer(addrB, func(p *peer, q *packet) { p.reply(q, list) })
		know(a, kad.NodeInfo{ID: b.id, Addr: b.addr}, now())
		l.net.Tap(func(_, to netip.AddrPort, b []byte) bool {
			if slices.Contains(nowhere, to.String()) {
				t.Errorf("sent to %s: %q", to, b)
			}
			return true
		})
		res, err := a.FindClosest(l.ctx, infohash)
		if err != nil || res.Asked != 1 || res.Failed != 0 || a.Len() != 1 {
			t.Errorf("%+v, %v, %d contacts", res, err, a.Len())
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.MentionRefused: uint64(len(nowhere)), lightdht.QueriesOut: 1})
		for _, addr := range nowhere {
			if _, err := a.Ping(l.ctx, at(addr)); !errors.Is(err, lightdht.ErrAddress) {
				t.Errorf("ping to %s: %v", addr, err)
			}
			if err := a.Add(kad.NodeInfo{ID: idOf(addr), Addr: at(addr)}); !errors.Is(err, lightdht.ErrAddress) {
				t.Errorf("add %s: %v", addr, err)
			}
		}
		if a.Len() != 1 {
			t.Errorf("%d contacts", a.Len())
		}
	})
}

// On the public network an impossible address is called so, and a private one
// reserved.
func TestErrorsOfAddresses(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node("1.2.3.4:1", lightdht.Config{Network: lightdht.Public, Routers: []string{"1.2.3.5:1"}})
		for addr, want := range map[string]error{
			"1.2.3.6:0": lightdht.ErrAddress, "224.0.0.1:1": lightdht.ErrAddress, "0.0.0.0:1": lightdht.ErrAddress,
			"10.0.0.1:1": lightdht.ErrReserved, "127.0.0.1:1": lightdht.ErrReserved, "240.0.0.1:1": lightdht.ErrReserved,
			"[2600::1]:1": lightdht.ErrFamily,
		} {
			if _, err := a.Ping(l.ctx, at(addr)); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", addr, err, want)
			}
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.PacketsOut: 0})
	})
}

// Peers where nobody can be are left out of a result and of its steps, and
// counted; each other one stands in one step and in the result once.
func TestImpossiblePeers(t *testing.T) {
	told := []string{"1.2.3.4:5", "10.0.0.9:9", "1.2.3.4:5", "1.2.3.4:0", "0.0.0.0:7", "224.0.0.1:8", "255.255.255.255:9", "1.2.3.5:6"}
	for network, want := range map[lightdht.Network][]string{
		lightdht.Private: {"1.2.3.4:5", "10.0.0.9:9", "1.2.3.5:6"},
		lightdht.Public:  {"1.2.3.4:5", "1.2.3.5:6"},
	} {
		t.Run(network.String(), func(t *testing.T) {
			inLab(t, func(l *lab) {
				a := l.node("8.8.4.4:1", lightdht.Config{Network: network, Routers: []string{"8.8.4.5:1"}})
				var values krpc.Peers
				for _, addr := range told {
					values = krpc.AppendPeer(values, at(addr))
				}
				for i, addr := range []string{"8.8.1.1:1", "8.8.2.1:1", "8.8.3.1:1"} {
					p := l.peer(addr, func(p *peer, q *packet) {
						own := krpc.AppendPeer(slices.Clone(values), netip.AddrPortFrom(at("9.9.9.9:9").Addr(), uint16(i+1)))
						p.reply(q, krpc.Message{Fields: krpc.FieldValues, Values: own})
					})
					know(a, kad.NodeInfo{ID: p.id, Addr: p.addr}, now())
				}
				want := append(slices.Clone(want), "9.9.9.9:1", "9.9.9.9:2", "9.9.9.9:3")
				var steps []netip.AddrPort
				var res *lightdht.LookupResult
				for step, err := range a.LookupWith(l.ctx, infohash, lightdht.LookupConfig{Peers: true}) {
					if err != nil {
						t.Fatal(err)
					}
					steps, res = append(steps, step.Peers...), step.Result
				}
				if !slices.Equal(steps, res.Peers) {
					t.Errorf("the steps told %v, the result %v", steps, res.Peers)
				}
				var got []string
				for _, addr := range res.Peers {
					got = append(got, addr.String())
				}
				if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
					t.Errorf("found %v, want %v", got, want)
				}
				refused := map[lightdht.Network]uint64{lightdht.Private: 4, lightdht.Public: 5}[network] // by each of three
				l.counts(a, map[lightdht.Counter]uint64{lightdht.PeersRefused: 3 * refused})
			})
		})
	}
}
