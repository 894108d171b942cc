package lightdht_test

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

var infohash = idOf("infohash")

// peersOf asks a node for the peers of an infohash.
func peersOf(p *peer, to string, infohash kad.ID) []netip.AddrPort {
	p.l.Helper()
	got := p.query(at(to), krpc.GetPeers{InfoHash: infohash})
	peers := got.PeerAddrs()
	slices.SortFunc(peers, netip.AddrPort.Compare)
	return peers
}

// A token is good at any port of the address that it was given to, and nowhere
// else.
func TestTokenIsBoundToTheAddress(t *testing.T) {
	inLab(t, func(l *lab) {
		l.node(addrA, lightdht.Config{})
		b, sameHost, other := l.peer(addrB, nil), l.peer("10.0.0.2:2000", nil), l.peer(addrC, nil)
		q := krpc.AnnouncePeer{InfoHash: infohash, Port: 1}
		q.Token = b.query(at(addrA), krpc.GetPeers{InfoHash: infohash}).Token
		if got := sameHost.query(at(addrA), q); got.Kind != krpc.KindReply {
			t.Errorf("from another port: %q", got.Raw)
		}
		if got := other.query(at(addrA), q); got.Code != krpc.CodeProtocol {
			t.Errorf("from another address: %q", got.Raw)
		}
		q.InfoHash = idOf("another")
		if got := b.query(at(addrA), q); got.Code != krpc.CodeProtocol {
			t.Errorf("for another infohash: %q", got.Raw)
		}
	})
}

func TestImpliedPort(t *testing.T) {
	inLab(t, func(l *lab) {
		l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, nil)
		token := b.query(at(addrA), krpc.GetPeers{InfoHash: infohash}).Token
		b.query(at(addrA), krpc.AnnouncePeer{InfoHash: infohash, Port: 7, ImpliedPort: true, Token: token})
		b.query(at(addrA), krpc.AnnouncePeer{InfoHash: infohash, Port: 8, Token: token})
		want := []netip.AddrPort{at("10.0.0.2:8"), at(addrB)}
		if got := peersOf(b, addrA, infohash); !slices.Equal(got, want) {
			t.Errorf("peers %v, want %v", got, want)
		}
	})
}

// A peer is told until PeerTTL after its announcement.
func TestAnnouncedPeerExpires(t *testing.T) {
	inLab(t, func(l *lab) {
		l.node(addrA, lightdht.Config{PeerTTL: 10 * time.Minute})
		b := l.peer(addrB, nil)
		announce(b, at(addrA), infohash, 1)
		time.Sleep(10*time.Minute - 1)
		if got := peersOf(b, addrA, infohash); len(got) != 1 {
			t.Errorf("just before: %v", got)
		}
		time.Sleep(time.Nanosecond)
		if got := peersOf(b, addrA, infohash); len(got) != 0 {
			t.Errorf("just after: %v", got)
		}
	})
}

// The sweep, once a minute, makes room for other infohashes.
func TestExpiredInfohashMakesRoom(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{PeerTTL: 10 * time.Minute, MaxInfohashes: 1, MaxPeers: 2})
		b := l.peer(addrB, nil)
		if refused := announce(b, at(addrA), infohash, 3); refused != 0 {
			t.Errorf("%d were refused, though the oldest makes room", refused)
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.PeersDropped: 1})
		if got := peersOf(b, addrA, infohash); len(got) != 2 {
			t.Errorf("peers %v, want two", got)
		}
		if refused := announce(b, at(addrA), idOf("second"), 1); refused != 1 {
			t.Errorf("%d were refused, want one: there is room for one infohash", refused)
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.PeersDropped: 2})
		time.Sleep(11*time.Minute + time.Second)
		announce(b, at(addrA), idOf("second"), 1)
		if got := peersOf(b, addrA, idOf("second")); len(got) != 1 {
			t.Errorf("peers %v, want one", got)
		}
	})
}

// Over many questions all peers of a swarm are told, not always the same.
func TestPeersAreARandomSample(t *testing.T) {
	inLab(t, func(l *lab) {
		l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, nil)
		announce(b, at(addrA), infohash, 500)
		told := map[netip.AddrPort]bool{}
		for range 60 { // each tells about 110 of 500: one is left out with probability 0.0000003
			for _, addr := range peersOf(b, addrA, infohash) {
				told[addr] = true
			}
		}
		if len(told) != 500 {
			t.Errorf("%d of 500 peers were told", len(told))
		}
	})
}

func TestAnnounceWithAnOldToken(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		l.node(addrB, lightdht.Config{})
		reply, err := a.GetPeers(l.ctx, at(addrB), infohash)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		if _, err := a.AnnouncePeer(l.ctx, at(addrB), infohash, 1, reply.Token); err != nil {
			t.Errorf("after one period: %v", err)
		}
		time.Sleep(5 * time.Minute)
		var k *krpc.Error
		if _, err := a.AnnouncePeer(l.ctx, at(addrB), infohash, 1, reply.Token); !errors.As(err, &k) || k.Code != krpc.CodeProtocol {
			t.Errorf("after two periods: %v", err)
		}
	})
}
