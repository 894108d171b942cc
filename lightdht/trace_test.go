package lightdht_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/testnet"
)

// shown is a packet that a hook was told of.
type shown struct {
	*lightdht.Packet
	hook      string
	goroutine string
}

// tracelog keeps clones of what hooks are told.
type tracelog struct {
	mu  sync.Mutex
	all []shown
}

// trace has every hook write into the tracelog.
func (g *tracelog) trace() *lightdht.Trace {
	hook := func(name string) func(*lightdht.Packet) {
		return func(p *lightdht.Packet) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.all = append(g.all, shown{p.Clone(), name, goroutine()})
		}
	}
	return &lightdht.Trace{
		Query: hook("query"), Reply: hook("reply"), Error: hook("error"), Late: hook("late"), Stray: hook("stray"),
		Malformed: hook("malformed"), Refused: hook("refused"), QuerySent: hook("query sent"), ReplySent: hook("reply sent"),
		ErrorSent: hook("error sent"), NotSent: hook("not sent"), Timeout: hook("timeout"),
	}
}

// goroutine names the one that it runs in.
func goroutine() string {
	buf := make([]byte, 64)
	return strings.Fields(string(buf[:runtime.Stack(buf, false)]))[1]
}

// take returns what was told, once all is quiet, and forgets it.
func (g *tracelog) take() []shown {
	synctest.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	all := g.all
	g.all = nil
	return all
}

// count counts what some hooks were told.
func count(all []shown, hooks ...string) (n uint64) {
	for _, s := range all {
		if slices.Contains(hooks, s.hook) {
			n++
		}
	}
	return n
}

var (
	received = []string{"query", "reply", "error", "late", "stray", "malformed", "refused"}
	sent     = []string{"query sent", "reply sent", "error sent"}
)

// packets counts those that some hooks were told of, by address and bytes.
func packets(all []shown, hooks []string) map[string]int {
	n := map[string]int{}
	for _, s := range all {
		if slices.Contains(hooks, s.hook) {
			n[fmt.Sprintf("%s %q", s.Addr, s.Bytes)]++
		}
	}
	return n
}

// chatter is a peer's respond that does anything.
func chatter(r *rand.Rand, mu *sync.Mutex) func(p *peer, q *packet) {
	return func(p *peer, q *packet) {
		mu.Lock()
		what := r.IntN(6)
		mu.Unlock()
		switch what {
		case 0: // silence
		case 1:
			p.send(q.from, krpc.Message{Kind: krpc.KindError, TID: q.TID, Code: 201, Text: []byte("no")})
		case 2: // too late
			time.AfterFunc(6*time.Second, func() { answering(p, q) })
		case 3: // the second one is a stray
			answering(p, q)
			answering(p, q)
		default:
			answering(p, q)
		}
	}
}

// anything is a datagram of any kind that a peer could send unasked.
func anything(r *rand.Rand, p *peer) []byte {
	junk := make([]byte, r.IntN(60))
	for i := range junk {
		junk[i] = byte(r.Uint32())
	}
	switch r.IntN(9) {
	case 0:
		return junk
	case 1:
		return append([]byte{0x21, 0, 0, 0}, make([]byte, 16+len(junk))...) // uTP
	case 2:
		return []byte("d1:t2:aae")
	case 3:
		return krpc.Append(nil, &krpc.Message{Kind: krpc.KindReply, TID: junk[:min(len(junk), 4)], ID: p.id, Fields: krpc.FieldID})
	case 4:
		return krpc.Append(nil, &krpc.Message{Kind: krpc.KindError, TID: []byte("bbbb"), Code: 203, Text: junk})
	case 5:
		return p.encode(krpc.Any{Name: "vote"})
	case 6:
		return p.encode(krpc.GetPeers{InfoHash: randomID(r)})
	case 7:
		return p.encode(krpc.AnnouncePeer{InfoHash: randomID(r), Port: 1, Token: []byte("wrong")})
	}
	return p.encode(krpc.Ping{})
}

// Whatever arrives, exactly one of the hooks for what is received is told of it,
// and exactly one of those for what is sent of whatever leaves; and hooks and
// counters agree.
func TestTraceToldOnceOfEveryPacket(t *testing.T) {
	for seed := range uint64(6) {
		inLab(t, func(l *lab) {
			r, mu := random(l, seed), sync.Mutex{}
			in, out := map[string]int{}, map[string]int{}
			l.net.Tap(func(from, to netip.AddrPort, b []byte) bool {
				mu.Lock()
				defer mu.Unlock()
				if to == at(publicA) {
					in[fmt.Sprintf("%s %q", from, b)]++
				}
				if from == at(publicA) {
					out[fmt.Sprintf("%s %q", to, b)]++
				}
				return true
			})
			var g tracelog
			a := l.node(publicA, lightdht.Config{
				Network: lightdht.Public, Trace: g.trace(),
				Limits: lightdht.Limits{PerAddr: 3, Inbound: 15, BanFor: 20 * time.Second},
			})
			peers := l.electorate(6, chatter(r, &mu))
			peers = append(peers, l.peer("10.0.0.7:7", nil), l.peer("[2001:db8::1]:7", nil))
			for range 600 {
				mu.Lock()
				p := peers[r.IntN(len(peers))]
				if r.IntN(3) == 0 {
					p = peers[0] // it will be banned
				}
				var b []byte
				ask, pause := r.IntN(4) == 0, time.Duration(r.IntN(300))*time.Millisecond
				if !ask {
					b = anything(r, p)
				}
				mu.Unlock()
				if ask {
					a.Go(l.ctx, p.addr, krpc.Ping{}, nil)
				} else {
					p.raw(at(publicA), string(b))
				}
				time.Sleep(pause)
			}
			time.Sleep(time.Minute)
			all := g.take()
			mu.Lock()
			defer mu.Unlock()
			sameCounts(l, "received", packets(all, received), in)
			sameCounts(l, "sent", packets(all, sent), out)
			for _, hook := range append(slices.Concat(received, sent), "not sent", "timeout") {
				if count(all, hook) == 0 {
					l.Errorf("%s was told nothing: the stream is too tame", hook)
				}
			}
			l.counts(a, map[lightdht.Counter]uint64{
				lightdht.PacketsIn: count(all, received...), lightdht.PacketsOut: count(all, sent...),
				lightdht.QueriesOut: count(all, "query sent"), lightdht.RepliesOut: count(all, "reply sent", "error sent"),
				lightdht.ErrorsOut: count(all, "error sent"), lightdht.RepliesIn: count(all, "reply", "error"),
				lightdht.ErrorsIn: count(all, "error"), lightdht.Late: count(all, "late"), lightdht.Stray: count(all, "stray"),
				lightdht.Timeouts:  count(all, "timeout"),
				lightdht.Malformed: count(all, "malformed") - a.Count(lightdht.Foreign),
				lightdht.QueriesIn: count(all, "query") + a.Count(lightdht.FromReserved),
				lightdht.Banned:    count(all, "refused") - a.Count(lightdht.FromReserved),
			})
			if a.Count(lightdht.Banned) == 0 || a.Count(lightdht.FromReserved) == 0 || a.Count(lightdht.Foreign) == 0 {
				l.Error("nobody was banned, reserved or foreign: the stream is too tame")
			}
		})
	}
}

func sameCounts(l *lab, what string, got, want map[string]int) {
	l.Helper()
	for k, n := range want {
		if got[k] != n {
			l.Errorf("%s %d times, told of it %d times: %s", what, n, got[k], k)
		}
	}
	for k, n := range got {
		if want[k] == 0 {
			l.Errorf("told %d times of what was not %s: %s", n, what, k)
		}
	}
}

// tale is what a packet should tell.
type tale struct {
	hook, method string
	at, rtt      time.Duration // at: since the beginning
	size         int           // that of Bytes, but for Timeout
	err          error
}

// tells holds what hooks were told of addr to what they should have been.
func (l *lab) tells(n *lightdht.Node, began time.Time, got []shown, addr netip.AddrPort, want ...tale) {
	l.Helper()
	if len(got) != len(want) {
		l.Errorf("%d packets were told of, want %d", len(got), len(want))
	}
	for i, w := range want[:min(len(got), len(want))] {
		g := got[i]
		is := tale{g.hook, g.Method, g.Time.Sub(began), g.RTT, g.Size, w.err}
		if is != w || g.Node != n || g.Addr != addr || (w.err == nil) != (g.Err == nil) || w.err != nil && !errors.Is(g.Err, w.err) {
			l.Errorf("told %+v of %s, %v; want %+v", is, g.Addr, g.Err, w)
		}
		if bytesToo := w.hook != "timeout" && w.hook != "not sent"; bytesToo != (g.Bytes != nil) || bytesToo && len(g.Bytes) != w.size {
			l.Errorf("%s has the bytes %q, want %d", w.hook, g.Bytes, w.size)
		}
		if read := g.hook != "malformed" && g.hook != "timeout" && g.hook != "not sent"; read != (g.Message != nil) {
			l.Errorf("%s has the message %v", w.hook, g.Message)
		} else if read && !bytes.Equal(krpc.Append(nil, g.Message), g.Bytes) {
			l.Errorf("%s has the message %q and the bytes %q", w.hook, krpc.Append(nil, g.Message), g.Bytes)
		}
	}
}

// Times, sizes and round trips are exact: each way takes 30 ms.
func TestTraceTellsExactly(t *testing.T) {
	const way = 30 * time.Millisecond
	type world struct {
		*lab
		a *lightdht.Node
		b *peer
	}
	// The sizes of what is on the wire, by hand: a ping of ours, the answer to one,
	// that with our address in it.
	const ping, pong, wpong = len("d1:ad2:id20:....................e1:q4:ping1:t4:....1:v4:....1:y1:qe"),
		len("d1:rd2:id20:....................e1:t4:....1:y1:re"), len("d2:ip6:......1:rd2:id20:....................e1:t2:..1:v4:....1:y1:re")
	const query = len("d1:ad2:id20:....................e1:q4:ping1:t2:aa1:y1:qe")
	for _, c := range []struct {
		name    string
		respond func(p *peer, q *packet)
		do      func(w world)
		want    []tale
	}{
		{"a reply", answering, func(w world) { w.a.Ping(w.ctx, w.b.addr) },
			[]tale{{"query sent", "ping", 0, 0, ping, nil}, {"reply", "ping", 2 * way, 2 * way, pong, nil}}},
		{"an error", func(p *peer, q *packet) {
			p.send(q.from, krpc.Message{Kind: krpc.KindError, TID: q.TID, Code: 201, Text: []byte("no")})
		}, func(w world) { w.a.Ping(w.ctx, w.b.addr) },
			[]tale{{"query sent", "ping", 0, 0, ping, nil}, {"error", "ping", 2 * way, 2 * way, len("d1:eli201e2:noe1:t4:....1:y1:ee"), (*krpc.Error)(nil)}}},
		{"a time-out, a late reply and its copy", after(6*time.Second, func(p *peer, q *packet) { answering(p, q); answering(p, q) }),
			func(w world) { w.a.Ping(w.ctx, w.b.addr); time.Sleep(10 * time.Second) },
			[]tale{
				{"query sent", "ping", 0, 0, ping, nil}, {"timeout", "ping", 5 * time.Second, 5 * time.Second, ping, lightdht.ErrTimeout},
				{"late", "", 6*time.Second + 2*way, 6*time.Second + 2*way, pong, nil}, {"stray", "", 6*time.Second + 2*way, 0, pong, nil},
			}},
		{"a query, its answer and the greeting", nil, func(w world) { w.b.raw(at(addrA), string(w.b.encode(krpc.Ping{}))); time.Sleep(way) },
			[]tale{{"query", "ping", way, 0, query, nil}, {"query sent", "ping", way, 0, ping, nil}, {"reply sent", "ping", way, 0, wpong, nil}}},
		{"an unknown method", nil, func(w world) { w.b.raw(at(addrA), "d1:ade1:q4:vote1:t2:aa1:y1:qe"); time.Sleep(way) },
			[]tale{{"query", "vote", way, 0, len("d1:ade1:q4:vote1:t2:aa1:y1:qe"), nil}, {"error sent", "vote", way, 0, len("d1:eli203e22:id of 20 bytes missinge2:ip6:......1:t2:..1:v4:....1:y1:ee"), nil}}},
		{"no message", nil, func(w world) { w.b.raw(at(addrA), "d"); time.Sleep(way) },
			[]tale{{"malformed", "", way, 0, 1, krpc.ErrSyntax}}},
		{"an abandoned query", answering, func(w world) {
			ctx, cancel := context.WithTimeout(w.ctx, way)
			defer cancel()
			w.a.Ping(ctx, w.b.addr)
			time.Sleep(way)
		}, []tale{{"query sent", "ping", 0, 0, ping, nil}, {"late", "", 2 * way, 2 * way, pong, nil}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inLab(t, func(l *lab) {
				l.net.Paths(func(_, _ netip.AddrPort) testnet.Path { return testnet.Path{Delay: way} })
				var g tracelog
				a := l.node(addrA, lightdht.Config{Trace: g.trace()})
				b, began := l.peer(addrB, c.respond), now()
				c.do(world{l, a, b})
				got := g.take()
				for i, w := range c.want {
					if w.hook == "error" { // which has its own type of error
						k := (*krpc.Error)(nil)
						if !errors.As(got[i].Err, &k) || *k != (krpc.Error{Code: 201, Text: "no"}) {
							t.Errorf("the error is %v", got[i].Err)
						}
						c.want[i].err = got[i].Err
					}
				}
				l.tells(a, began, got, b.addr, c.want...)
			})
		})
	}
}

// NotSent says of each packet that did not leave why.
func TestTraceNotSent(t *testing.T) {
	inLab(t, func(l *lab) {
		var g tracelog
		optOut := lightdht.NewOptOut(netip.MustParsePrefix("20.0.0.0/8"))
		a := l.node(publicA, lightdht.Config{Network: lightdht.Public, Trace: g.trace(), OptOut: optOut, Timeout: paced, Limits: lightdht.Limits{PerAddr: 2}})
		began := now()
		for addr, why := range map[string]error{"10.0.0.1:1": lightdht.ErrReserved, "9.9.9.9:0": lightdht.ErrAddress, "20.1.2.3:1": lightdht.ErrOptOut} {
			a.Do(l.ctx, at(addr), krpc.GetPeers{})
			l.tells(a, began, g.take(), at(addr), tale{"not sent", "get_peers", 0, 0, 0, why})
		}
		for range 5 {
			a.Go(l.ctx, at(publicB), krpc.Ping{}, nil)
		}
		all := g.take()
		l.tells(a, began, all[len(all)-1:], at(publicB), tale{"not sent", "ping", 0, 0, 0, lightdht.ErrLimited})
		if count(all, "query sent") != 2 || count(all, "not sent") != 1 {
			l.Errorf("%d sent, %d not", count(all, "query sent"), count(all, "not sent"))
		}
	})
}

// What the system refuses to send was told of just before, and is told of again.
func TestTraceOfFailedWrites(t *testing.T) {
	inLab(t, func(l *lab) {
		var g tracelog
		a := l.node(addrA, lightdht.Config{Trace: g.trace()})
		broken := errors.New("no route to host")
		l.net.Unplug(at(addrA).Addr(), broken)
		began := now()
		a.Ping(l.ctx, at(addrB))
		all := g.take()
		l.tells(a, began, all, at(addrB), tale{"query sent", "ping", 0, 0, all[0].Size, nil}, tale{"not sent", "ping", 0, 0, 0, broken})
		l.counts(a, map[lightdht.Counter]uint64{lightdht.WriteErrors: 1, lightdht.PacketsOut: 0, lightdht.QueriesOut: 0})
	})
}

// Each hook runs where it is said to: what is received and the answers to it in
// the read loop of the family, one after the other; queries where they are asked;
// time-outs all in one place.
func TestTraceGoroutines(t *testing.T) {
	inLab(t, func(l *lab) {
		var g tracelog
		trace := g.trace()
		inside := map[kad.Family]int{}
		var mu sync.Mutex
		one := func(hook func(*lightdht.Packet)) func(*lightdht.Packet) {
			return func(p *lightdht.Packet) {
				family := kad.FamilyOf(p.Addr.Addr())
				enter := func(n int) {
					mu.Lock()
					defer mu.Unlock()
					if inside[family] += n; inside[family] > 1 {
						l.Errorf("%d hooks at a time in %s", inside[family], family)
					}
				}
				enter(1)
				time.Sleep(time.Millisecond)
				hook(p)
				enter(-1)
			}
		}
		for _, hook := range []*func(*lightdht.Packet){&trace.Query, &trace.Reply, &trace.Error, &trace.Late, &trace.Stray, &trace.Malformed} {
			*hook = one(*hook)
		}
		const six = "[2001:db8::1]:1"
		a := l.node("", lightdht.Config{Conn4: l.listen(addrA), Conn6: l.listen(six), Trace: trace})
		four, other := l.peer(addrB, answering), l.peer("[2001:db8::2]:2", answering)
		var senders sync.WaitGroup
		for i := range 8 {
			p, to := four, at(addrA)
			if i%2 == 1 {
				p, to = other, at(six)
			}
			senders.Go(func() {
				for _, b := range []string{"d", "d1:rde1:t4:xxxx1:y1:re", string(p.encode(krpc.Ping{})), string(p.encode(krpc.Any{Name: "vote"}))} {
					p.raw(to, b)
				}
				a.Ping(l.ctx, p.addr)
			})
		}
		senders.Wait()
		a.Ping(l.ctx, at(addrB))
		for range 3 {
			a.Ping(l.ctx, at(addrC)) // nobody is there
		}
		where := map[string]map[string]bool{}
		own := 0
		for _, s := range g.take() {
			role := s.hook
			switch {
			case slices.Contains(received, s.hook), s.hook == "reply sent", s.hook == "error sent":
				role = kad.FamilyOf(s.Addr.Addr()).String()
			case s.hook == "query sent" && s.goroutine == goroutine():
				own++
			}
			if where[role] == nil {
				where[role] = map[string]bool{}
			}
			where[role][s.goroutine] = true
		}
		if len(where["ipv4"]) != 1 || len(where["ipv6"]) != 1 || len(where["timeout"]) != 1 || own != 4 {
			l.Errorf("hooks ran in %v, and %d of our 4 queries in our goroutine", where, own)
		}
		all := map[string]bool{goroutine(): true}
		for _, role := range []string{"ipv4", "ipv6", "timeout"} {
			for id := range where[role] {
				all[id] = true
			}
		}
		if len(all) != 4 {
			l.Errorf("they share goroutines: %v", where)
		}
	})
}

// A hook may ask with Go, and whom it asked is told as any other.
func TestTraceHookThatAsks(t *testing.T) {
	inLab(t, func(l *lab) {
		answers := make(chan error, 1)
		a := l.node(addrA, lightdht.Config{Trace: &lightdht.Trace{Malformed: func(p *lightdht.Packet) {
			p.Node.Go(context.Background(), p.Addr, krpc.Ping{}, func(_ krpc.Reply, err error) { answers <- err })
		}}})
		l.peer(addrB, answering).raw(a.Addr(kad.IPv4), "x")
		if err := <-answers; err != nil {
			l.Error(err)
		}
	})
}

// A clone stays as it was while the node goes on, also in another goroutine.
func TestPacketClone(t *testing.T) {
	inLab(t, func(l *lab) {
		kept := make(chan *lightdht.Packet, 100)
		keep := func(p *lightdht.Packet) { kept <- p.Clone() }
		a := l.node(addrA, lightdht.Config{Trace: &lightdht.Trace{Query: keep, Malformed: keep, ReplySent: keep}})
		b := l.peer(addrB, answering)
		var want []string
		for i := range 20 {
			q := b.encode(krpc.GetPeers{InfoHash: idOf(fmt.Sprint(i))})
			want = append(want, string(q), "junk "+strings.Repeat("x", i))
			b.raw(at(addrA), string(q))
			b.raw(at(addrA), want[len(want)-1])
		}
		synctest.Wait()
		a.Close()
		close(kept)
		i := 0
		for p := range kept {
			if p.Message != nil && p.Message.Kind == krpc.KindReply {
				if p.Message.ID != a.ID() || !bytes.Equal(krpc.Append(nil, p.Message), p.Bytes) {
					t.Errorf("a reply is kept as %q", p.Bytes)
				}
				continue
			}
			if string(p.Bytes) != want[i] || p.Size != len(want[i]) || p.Node != a || p.Addr != b.addr {
				t.Errorf("kept %+v, want %q", p, want[i])
			}
			if m := p.Message; m != nil && (m.InfoHash != idOf(fmt.Sprint(i/2)) || string(m.Raw) != want[i] || m.ID != b.id) {
				t.Errorf("kept the message %+v", m)
			}
			i++
		}
		if i != len(want) {
			t.Errorf("%d were kept, want %d", i, len(want))
		}
	})
}

// Refused says for whom a packet was dropped. Of those who are banned the answers
// that we wait for are taken all the same.
func TestTraceRefused(t *testing.T) {
	inLab(t, func(l *lab) {
		var g tracelog
		a := l.node(publicA, lightdht.Config{Network: lightdht.Public, Trace: g.trace(), Limits: lightdht.Limits{Inbound: 2}})
		home, busy := l.peer("192.168.1.1:1", nil), l.peer(publicB, nil)
		began, q := now(), string(home.encode(krpc.GetPeers{}))
		home.raw(at(publicA), q)
		l.tells(a, began, g.take(), home.addr, tale{"refused", "get_peers", 0, 0, len(q), lightdht.ErrReserved})
		home.raw(at(publicA), "d")
		l.tells(a, began, g.take(), home.addr, tale{"malformed", "", 0, 0, 1, krpc.ErrSyntax})
		for range 3 {
			busy.raw(at(publicA), q)
		}
		last := g.take()
		l.tells(a, began, last[len(last)-1:], busy.addr, tale{"refused", "get_peers", 0, 0, len(q), lightdht.ErrBanned})
		a.Go(l.ctx, busy.addr, krpc.Ping{}, nil)
		for _, asked := range busy.take() {
			if asked.Kind == krpc.KindQuery {
				answering(busy, &asked)
				answering(busy, &asked)
			}
		}
		all := g.take()
		if count(all, "reply") != 2 || count(all, "refused") != 2 || count(all, received...) != 4 { // of the greeting and of our ping, and a copy of each
			l.Errorf("told of %d replies and %d refusals", count(all, "reply"), count(all, "refused"))
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.Banned: 3, lightdht.FromReserved: 1})
	})
}
