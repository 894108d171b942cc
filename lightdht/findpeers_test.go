package lightdht_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/testnet"
)

func sorted(addrs []netip.AddrPort) []netip.AddrPort {
	addrs = slices.Clone(addrs)
	slices.SortFunc(addrs, netip.AddrPort.Compare)
	return addrs
}

// All peers that were announced are found, each once.
func TestFindPeersFindsAllPeers(t *testing.T) {
	inLab(t, func(l *lab) {
		hashes := []kad.ID{idOf("one"), idOf("two"), idOf("three")}
		net, a := l.town(testnet.Config{Nodes: 80, Seed: 4, Infohashes: hashes, Peers: 20}, lightdht.Config{})
		for _, infohash := range hashes {
			res, err := a.FindPeers(l.ctx, infohash)
			if err != nil {
				t.Fatal(err)
			}
			if want := net.Peers(infohash); !slices.Equal(sorted(res.Peers), sorted(want)) || len(want) != 20 {
				t.Errorf("found %d peers of %d", len(res.Peers), len(want))
			}
			for _, c := range res.Closest {
				if len(c.Token) == 0 {
					t.Errorf("%s gave no token", c.ID)
				}
			}
			addsUp(t, res)
		}
		res, err := a.FindPeers(l.ctx, idOf("nobody has it"))
		if err != nil || len(res.Peers) != 0 {
			t.Errorf("%v, %v", res.Peers, err)
		}
	})
}

// What one announces, another finds; it is stored by the true closest.
func TestAnnounceThenFindPeers(t *testing.T) {
	inLab(t, func(l *lab) {
		net, a := l.town(testnet.Config{Nodes: 60, Seed: 4}, lightdht.Config{})
		out, err := a.Announce(l.ctx, infohash, 4321)
		if err != nil || !slices.Equal(sortedInfos(out.Stored), sortedInfos(net.Closest(infohash, 8))) || len(out.Errs) != 0 {
			t.Errorf("stored by %v, %v", out, err)
		}
		if _, err := a.Announce(l.ctx, infohash, 0); err != nil {
			t.Error(err)
		}
		b := l.node(addrB, lightdht.Config{Bootstrap: net.Bootstrap()})
		res, err := b.FindPeers(l.ctx, infohash)
		if want := []netip.AddrPort{at(addrA), at("10.0.0.1:4321")}; err != nil || !slices.Equal(sorted(res.Peers), sorted(want)) {
			t.Errorf("found %v, %v, want %v", res, err, want)
		}
	})
}

func sortedInfos(infos []kad.NodeInfo) []kad.NodeInfo {
	infos = slices.Clone(infos)
	slices.SortFunc(infos, func(a, b kad.NodeInfo) int { return a.ID.Compare(b.ID) })
	return infos
}

// Some take the announcement, one gives no token, one refuses, one has left:
// the result says so of each, and it is an error only if none took it.
func TestAnnounceSaysWhoTookIt(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		token := krpc.Message{Token: []byte("tk"), Fields: krpc.FieldToken}
		give := func(announced func(p *peer, q *packet)) func(p *peer, q *packet) {
			return func(p *peer, q *packet) {
				if q.Method == krpc.MethodAnnouncePeer {
					announced(p, q)
					return
				}
				p.reply(q, token)
			}
		}
		refuse := func(p *peer, q *packet) {
			p.send(q.from, krpc.Message{Kind: krpc.KindError, TID: q.TID, Code: 203, Text: []byte("no")})
		}
		takes := l.peer(addrB, give(answering))
		for _, p := range []*peer{takes, l.peer(addrC, answering), l.peer(addrD, give(refuse)), l.peer("10.0.0.5:5", give(func(*peer, *packet) {}))} {
			know(a, kad.NodeInfo{ID: p.id, Addr: p.addr}, now())
		}
		out, err := a.Announce(l.ctx, infohash, 1)
		if err != nil || !slices.Equal(out.Stored, []kad.NodeInfo{{ID: takes.id, Addr: takes.addr}}) || len(out.Errs) != 3 {
			t.Errorf("%+v, %v", out, err)
		}
		told := fmt.Sprint(out.Errs)
		for _, want := range []string{addrC + " gave no token", "announce_peer to " + addrD + ": krpc error 203: no", "announce_peer to 10.0.0.5:5: no answer in time"} {
			if !strings.Contains(told, want) {
				t.Errorf("the errors are %s, want %q", told, want)
			}
		}
		takes.conn.Close()
		if out, err = a.Announce(l.ctx, infohash, 1); err == nil || len(out.Stored) != 0 || !strings.Contains(err.Error(), infohash.String()) {
			t.Errorf("taken by nobody: %+v, %v", out, err)
		}
	})
}

// A node of both families looks in both, though it began in one.
func TestLookupInBothFamilies(t *testing.T) {
	inLab(t, func(l *lab) {
		var infos4, infos6 []kad.NodeInfo
		var nodes []*lightdht.Node
		for i := range 30 {
			addr4 := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 2, 0, byte(i)}), 1)
			addr6 := netip.AddrPortFrom(netip.AddrFrom16([16]byte{0: 0xfd, 15: byte(i + 1)}), 1)
			id := idOf(fmt.Sprint(i))
			nodes = append(nodes, l.node("", lightdht.Config{ID: id, Conn4: l.listen(addr4.String()), Conn6: l.listen(addr6.String())}))
			infos4, infos6 = append(infos4, kad.NodeInfo{ID: id, Addr: addr4}), append(infos6, kad.NodeInfo{ID: id, Addr: addr6})
		}
		for i, n := range nodes {
			for j := range nodes {
				if i != j {
					know(n, infos4[j], now())
					know(n, infos6[j], now())
				}
			}
		}
		a := l.node("", lightdht.Config{Conn4: l.listen(addrA), Conn6: l.listen("[fd01::1]:1"), Bootstrap: []string{"10.2.0.0:1"}})
		closest := func(infos []kad.NodeInfo, target kad.ID) []kad.NodeInfo {
			infos = slices.Clone(infos)
			slices.SortFunc(infos, func(x, y kad.NodeInfo) int { return target.CompareDistance(x.ID, y.ID) })
			return infos[:8]
		}
		for i := range 10 {
			target := idOf(fmt.Sprint("target", i))
			res, err := a.FindPeers(l.ctx, target)
			if err != nil {
				t.Fatal(err)
			}
			if want := slices.Concat(closest(infos4, target), closest(infos6, target)); !slices.Equal(found(res), want) {
				t.Errorf("target %s:\n got %v\nwant %v", target, found(res), want)
			}
			addsUp(t, res)
		}
		if _, err := a.Announce(l.ctx, infohash, 0); err != nil {
			t.Fatal(err)
		}
		res, err := nodes[3].FindPeers(l.ctx, infohash)
		if want := []netip.AddrPort{at(addrA), at("[fd01::1]:1")}; err != nil || !slices.Equal(sorted(res.Peers), want) {
			t.Errorf("found %v, %v, want %v", res.Peers, err, want)
		}
	})
}

// AnnounceTo is told whom FindPeers found.
func TestAnnounceToWithoutTokens(t *testing.T) {
	inLab(t, func(l *lab) {
		_, a := l.town(testnet.Config{Nodes: 20, Seed: 4}, lightdht.Config{})
		res, err := a.FindClosest(l.ctx, infohash)
		if err != nil {
			t.Fatal(err)
		}
		out, err := a.AnnounceTo(l.ctx, res, 1)
		if err == nil || len(out.Errs) != 8 {
			t.Errorf("%+v, %v", out, err)
		}
		res, _ = a.FindPeers(l.ctx, infohash)
		a.Close()
		if _, err = a.AnnounceTo(l.ctx, res, 1); err == nil || !strings.Contains(err.Error(), lightdht.ErrClosed.Error()) {
			t.Errorf("on a closed node: %v", err)
		}
	})
}

// A context that ends on the way leaves what was found until then.
func TestFindPeersUntilItsContextEnds(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		for i, delay := range []time.Duration{100 * ms, 200 * ms, 3 * s, 4 * s, 0} {
			p := l.peer(fmt.Sprintf("10.0.1.%d:1", i+1), after(delay, telling(fmt.Sprintf("10.9.0.%d:9", i+1))))
			if delay == 0 {
				p.respond = nil
			}
			p.id = kad.ID{0: 0x80, 19: byte(i + 1)}
			know(a, kad.NodeInfo{ID: p.id, Addr: p.addr}, now())
		}
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(l.ctx)
		time.AfterFunc(2500*ms, func() { cancel(why) })
		res, err := a.FindPeers(ctx, kad.ID{0: 0x80})
		if !errors.Is(err, why) || res == nil {
			t.Fatalf("%+v, %v", res, err)
		}
		if want := []netip.AddrPort{at("10.9.0.1:9"), at("10.9.0.2:9")}; !slices.Equal(res.Peers, want) || len(res.Closest) != 2 {
			t.Errorf("found %v by %v, want %v", res.Peers, res.Closest, want)
		}
		if res.Asked != 5 || res.Answered != 2 || res.Silent != 3 || res.Duration != 2500*ms || res.Hops != 1 {
			t.Errorf("%+v", res)
		}
		if out := a.Count(lightdht.BytesOut); res.BytesOut != int(out) {
			t.Errorf("%d bytes out, on the wire %d", res.BytesOut, out)
		}
		addsUp(t, res)
		if calls, _ := a.Waiting(); calls != 0 {
			t.Errorf("%d calls wait", calls)
		}
		time.Sleep(10 * s)
		if len(res.Peers) != 2 {
			t.Error("the result changed afterwards")
		}
		if out, err := a.AnnounceTo(l.ctx, res, 1); err == nil || len(out.Errs) != 2 {
			t.Errorf("announcing to it: %+v, %v", out, err)
		}
	})
}
