package lightdht_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// flood has queries with random IDs come in, so many in a second for so many
// seconds, from addresses that from tells.
func (w *world) flood(seconds, rate int, from func(i int) netip.AddrPort) {
	for i := range seconds * rate {
		id := idOf(fmt.Sprint("flood", i))
		w.query(from(i), id, krpc.FindNode{Target: id})
		if i%50 == 0 {
			synctest.Wait() // or the queue of the socket would be full
		}
		if i%(rate/10) == rate/10-1 {
			time.Sleep(time.Second / 10)
		}
	}
	synctest.Wait()
}

// A flood of queries with random IDs from spoofed addresses everywhere: what goes
// out stays within the limits, a quarter of it is left for queries of ours,
// which go out at once, and who asks is pinged back 16 at a time.
func TestFloodFromEverywhere(t *testing.T) {
	inLab(t, func(l *lab) {
		const most = 300
		w := l.world(ours, func(to netip.AddrPort, q *krpc.Message) *krpc.Message {
			if to.Addr() == at("9.9.9.9:9").Addr() || to.Addr() == at("9.9.8.9:9").Addr() {
				return says(idOf(to.String()))
			}
			return nil
		})
		a := l.public(lightdht.Config{MaxContacts: most})
		asked := 0
		ticks := time.AfterFunc(time.Second, func() {
			for i := range 4 {
				began := now()
				_, err := a.Ping(l.ctx, at(fmt.Sprintf("9.9.%d.9:9", 8+i%2)))
				if asked++; err != nil || time.Since(began) != w.delay {
					t.Errorf("a query of ours ended after %v: %v", time.Since(began), err)
				}
			}
		})
		defer ticks.Stop()
		w.flood(5, 2000, func(i int) netip.AddrPort { return place(20, i) })
		all, _ := w.packets(netip.Prefix{})
		var answers, pings []heardPacket
		for _, p := range all {
			switch {
			case p.kind != krpc.KindQuery:
				answers = append(answers, p)
			case p.to.Addr().As4()[0] != 9:
				pings = append(pings, p)
			}
		}
		if n := inAnySecond(all); n > 500 || n < 375 {
			t.Errorf("%d packets in one second", n)
		}
		if n := inAnySecond(answers); n != 375 {
			t.Errorf("%d answers in one second, want three quarters of 500", n)
		}
		if len(pings) != 16 { // none of them has timed out yet
			t.Errorf("%d pings to who asked", len(pings))
		}
		if asked != 4 {
			t.Errorf("%d queries of ours", asked)
		}
		if a.Len() > most+2 || a.Count(lightdht.ContactsRefused) < 9000 {
			t.Errorf("%d contacts, %d refused", a.Len(), a.Count(lightdht.ContactsRefused))
		}
		if in := a.Count(lightdht.QueriesIn); in != 10000 || in != uint64(len(answers))+a.Count(lightdht.AnswersLimited) || a.Count(lightdht.Bans) != 0 {
			t.Errorf("%d queries, %d answers, %d not sent, %d bans", in, len(answers), a.Count(lightdht.AnswersLimited), a.Count(lightdht.Bans))
		}
	})
}

// The same from one address, which is soon banned: it is sent no more than the
// limit of an address allows, and has at most so many contacts.
func TestFloodFromOneAddress(t *testing.T) {
	inLab(t, func(l *lab) {
		w := l.world(ours, nil)
		a := l.public(lightdht.Config{})
		w.flood(5, 1000, func(i int) netip.AddrPort { return at(fmt.Sprintf("9.9.9.9:%d", i+1)) })
		all, _ := w.packets(netip.Prefix{})
		if n := inAnySecond(all); n != 4 {
			t.Errorf("%d packets in one second, want 4", n)
		}
		l.counts(a, map[lightdht.Counter]uint64{
			lightdht.Bans: 1, lightdht.QueriesIn: 200, lightdht.Banned: 4800, lightdht.IDsRefused: 8,
		})
		if a.Len() != 192 || len(all) > 4+lightdht.VainTries {
			t.Errorf("%d contacts, %d packets out", a.Len(), len(all))
		}
	})
}

// Queries in a victim's name, under ever new IDs and ports, have few pings sent
// there, however long it goes on.
func TestSpoofedQueriesPingNobodyToDeath(t *testing.T) {
	inLab(t, func(l *lab) {
		w := l.world(ours, nil)
		l.public(lightdht.Config{})
		w.flood(60, 10, func(i int) netip.AddrPort { return at(fmt.Sprintf("9.9.9.%d:%d", i%256, i+1)) })
		_, all := w.packets(netip.MustParsePrefix("9.9.9.0/24"))
		pings := 0
		for _, p := range all {
			if p.method == krpc.MethodPing && p.kind == krpc.KindQuery {
				pings++
			}
		}
		if pings != lightdht.VainTries {
			t.Errorf("%d pings, want %d", pings, lightdht.VainTries)
		}
	})
}

// Guesses of tokens, tokens of another address or infohash, and spoilt ones store
// nothing, each of them counted.
func TestGuessedTokens(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b, other := l.peer(addrB, nil), l.peer(addrC, nil)
		token := b.query(at(addrA), krpc.GetPeers{InfoHash: infohash}).Token
		tokens := [][]byte{
			other.query(at(addrA), krpc.GetPeers{InfoHash: infohash}).Token,
			b.query(at(addrA), krpc.GetPeers{InfoHash: idOf("another")}).Token,
			nil, {0}, token[:len(token)-1], append(bytes.Clone(token), 0), bytes.Repeat(token, 2), bytes.Repeat(token, 100),
		}
		for bit := range 8 * len(token) {
			spoilt := bytes.Clone(token)
			spoilt[bit/8] ^= 1 << (bit % 8)
			tokens = append(tokens, spoilt)
		}
		for i := range 1000 {
			id := idOf(fmt.Sprint(i))
			tokens = append(tokens, id[:len(token)])
		}
		for _, guess := range tokens {
			got := b.query(at(addrA), krpc.AnnouncePeer{InfoHash: infohash, Port: 1, Token: guess})
			if got.Code != krpc.CodeProtocol {
				t.Errorf("%q: %q", guess, got.Raw)
			}
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.BadToken: uint64(len(tokens))})
		if got := b.query(at(addrA), krpc.GetPeers{InfoHash: infohash}); got.Has(krpc.FieldValues) {
			t.Errorf("stored: %v", got.PeerAddrs())
		}
		if got := b.query(at(addrA), krpc.AnnouncePeer{InfoHash: infohash, Port: 1, Token: token}); got.Kind != krpc.KindReply {
			t.Errorf("the true token: %q", got.Raw)
		}
	})
}

// Whoever announces at all ports, and for ever more infohashes, fills what he may
// fill, and every entry dropped for it is counted. What was there before
// stays, unless it is the oldest of a full swarm.
func TestStorageFlood(t *testing.T) {
	inLab(t, func(l *lab) {
		const hashes, peers = 50, 20
		a := l.node(addrA, lightdht.Config{MaxInfohashes: hashes, MaxPeers: peers})
		announce := func(p *peer, hash kad.ID, port uint16) packet {
			token := p.query(at(addrA), krpc.GetPeers{InfoHash: hash}).Token
			return p.query(at(addrA), krpc.AnnouncePeer{InfoHash: hash, Port: port, Token: token})
		}
		good, evil := l.peer(addrB, nil), l.peer(addrC, nil)
		announce(good, infohash, 7)
		refused := 0
		for i := range 200 {
			if got := announce(evil, idOf(fmt.Sprint(i)), 1); got.Kind == krpc.KindError {
				refused++
				if got.Code != krpc.CodeServer {
					t.Errorf("refused with %q", got.Raw)
				}
			}
		}
		if refused != 200-(hashes-1) {
			t.Errorf("%d refused", refused)
		}
		for i := range 100 {
			announce(evil, idOf("0"), uint16(i+1))
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.PeersDropped: uint64(refused + 100 - peers)})
		if got := good.query(at(addrA), krpc.GetPeers{InfoHash: infohash}); len(got.PeerAddrs()) != 1 {
			t.Errorf("of the one who was there first: %v", got.PeerAddrs())
		}
		if got := good.query(at(addrA), krpc.GetPeers{InfoHash: idOf("0")}); len(got.PeerAddrs()) != peers {
			t.Errorf("%d peers, want %d", len(got.PeerAddrs()), peers)
		}
		if got := announce(good, infohash, 8); got.Kind != krpc.KindReply {
			t.Errorf("a known infohash: %q", got.Raw)
		}
	})
}
