package lightdht_test

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/testnet"
)

// town is a network in the lab and a node that has just come to it.
func (l *lab) town(cfg testnet.Config, own lightdht.Config) (*testnet.Net, *lightdht.Node) {
	l.Helper()
	cfg.Memory = &l.net
	net, err := testnet.Start(l.ctx, cfg)
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { net.Close() })
	own.Bootstrap, own.ID = net.Bootstrap(), idOf("newcomer")
	return net, l.node(addrA, own)
}

func found(res *lightdht.LookupResult) (infos []kad.NodeInfo) {
	for _, a := range res.Closest {
		infos = append(infos, a.NodeInfo)
	}
	return infos
}

// addsUp holds a result's counts to each other.
func addsUp(t *testing.T, res *lightdht.LookupResult) {
	t.Helper()
	if res.Asked != res.Answered+res.TimedOut+res.Failed+res.Silent {
		t.Errorf("asked %d, answered %d, timed out %d, failed %d, silent %d", res.Asked, res.Answered, res.TimedOut, res.Failed, res.Silent)
	}
}

// Lookups in networks of many sizes return the true K closest, in their order.
func TestLookupFindsTheTrueClosest(t *testing.T) {
	for seed, size := range []int{1, 5, 8, 9, 50, 120, 300} {
		inLab(t, func(l *lab) {
			r := random(t, uint64(seed))
			net, a := l.town(testnet.Config{Nodes: size, Seed: uint64(seed)}, lightdht.Config{})
			for range 20 {
				target := randomID(r)
				res, err := a.FindClosest(l.ctx, target)
				if err != nil {
					t.Fatal(err)
				}
				if got, want := found(res), net.Closest(target, 8); !slices.Equal(got, want) {
					t.Errorf("%d nodes, target %s:\n got %v\nwant %v", size, target, got, want)
				}
				addsUp(t, res)
			}
		})
	}
}

// With 30 % of the contacts dead a wide enough lookup is still exact, and says
// how many did not answer.
func TestLookupAmongTheDead(t *testing.T) {
	for seed := range uint64(3) {
		inLab(t, func(l *lab) {
			r := random(t, seed)
			net, a := l.town(testnet.Config{Nodes: 150, Seed: seed}, lightdht.Config{Lookup: lightdht.LookupConfig{Width: 24}})
			if err := a.Bootstrap(l.ctx); err != nil {
				t.Fatal(err)
			}
			dead := map[kad.ID]bool{}
			for _, i := range r.Perm(net.Len())[:45] {
				net.Nodes()[i].Close()
				dead[net.Nodes()[i].ID()] = true
			}
			unanswered := 0
			for range 10 {
				target := randomID(r)
				res, err := a.FindClosest(l.ctx, target)
				if err != nil {
					t.Fatal(err)
				}
				want := slices.DeleteFunc(net.Closest(target, net.Len()), func(n kad.NodeInfo) bool { return dead[n.ID] })[:8]
				if got := found(res); !slices.Equal(got, want) {
					t.Errorf("target %s:\n got %v\nwant %v", target, got, want)
				}
				addsUp(t, res)
				unanswered += res.TimedOut + res.Silent
			}
			if unanswered < 50 {
				t.Errorf("%d unanswered queries in 10 lookups", unanswered)
			}
		})
	}
}

// Nobody is sent two queries of one lookup, and who is not dead is asked for
// the target.
func TestLookupAsksNobodyTwice(t *testing.T) {
	inLab(t, func(l *lab) {
		net, a := l.town(testnet.Config{Nodes: 100, Seed: 7}, lightdht.Config{})
		if err := a.Bootstrap(l.ctx); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // not all of those that Bootstrap asks need have been asked when the first answers
		target := idOf("target")
		var mu sync.Mutex
		asked := map[netip.AddrPort]int{}
		l.net.Tap(func(from, to netip.AddrPort, b []byte) bool {
			var m krpc.Message
			if krpc.Parse(b, &m); from == at(addrA) && m.Kind == krpc.KindQuery && m.Method == krpc.MethodFindNode {
				mu.Lock()
				defer mu.Unlock()
				asked[to]++
				if m.Target != target {
					t.Errorf("%s was asked for %s", to, m.Target)
				}
			}
			return true
		})
		res, err := a.FindClosest(l.ctx, target)
		if err != nil || !slices.Equal(found(res), net.Closest(target, 8)) {
			t.Fatal(res, err)
		}
		mu.Lock()
		defer mu.Unlock()
		for to, n := range asked {
			if n != 1 {
				t.Errorf("%s was asked %d times", to, n)
			}
		}
		if len(asked) != res.Asked {
			t.Errorf("%d were asked, the result says %d", len(asked), res.Asked)
		}
	})
}

// K is how many are returned, Width how many must have answered.
func TestLookupKAndWidth(t *testing.T) {
	inLab(t, func(l *lab) {
		net, a := l.town(testnet.Config{Nodes: 100, Seed: 3}, lightdht.Config{})
		target := idOf("target")
		for _, c := range []struct{ k, width, answered int }{{1, 0, 1}, {3, 0, 3}, {3, 20, 20}, {6, 3, 6}, {0, 0, 8}} {
			cfg := lightdht.LookupConfig{K: c.k, Width: c.width}
			heard := 0
			for step, err := range a.LookupWith(l.ctx, target, cfg) {
				if err != nil {
					t.Fatal(err)
				}
				if heard += step.New; step.Event == lightdht.Asked && step.Hop == 1 {
					heard++
				}
				if res := step.Result; res != nil {
					k := c.k
					if k == 0 {
						k = 8
					}
					if !slices.Equal(found(res), net.Closest(target, k)) || res.Answered < c.answered && res.Asked < heard {
						t.Errorf("%+v: found %d, %d answered of %d heard of", cfg, len(res.Closest), res.Answered, heard)
					}
				}
			}
		}
	})
}

// At most Parallel queries are under way at a time.
func TestLookupParallel(t *testing.T) {
	for _, parallel := range []int{1, 3, 10} {
		inLab(t, func(l *lab) {
			_, a := l.town(testnet.Config{Nodes: 60, Seed: 3}, lightdht.Config{Lookup: lightdht.LookupConfig{Parallel: parallel}})
			a.Bootstrap(l.ctx)
			busy, most := 0, 0
			for step, err := range a.Lookup(l.ctx, idOf("target")) {
				switch {
				case err != nil:
					t.Fatal(err)
				case step.Event == lightdht.Asked:
					busy++
				case step.Event != lightdht.Done:
					busy--
				}
				most = max(most, busy)
			}
			if most != parallel {
				t.Errorf("%d queries were under way, want %d", most, parallel)
			}
		})
	}
}

// liars is a network where everybody, at any address, answers and names eight
// more that are nearer to whatever is asked for.
type liars struct {
	lightdht.PacketConn // for LocalAddr and Close
	in                  chan lie
	mu                  sync.Mutex
	ids                 map[netip.AddrPort]kad.ID
	told                uint64
}

type lie struct {
	b    []byte
	from netip.AddrPort
}

func (c *liars) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	p, ok := <-c.in
	if !ok {
		return 0, netip.AddrPort{}, errors.New("over")
	}
	return copy(b, p.b), p.from, nil
}

func (c *liars) Close() error { close(c.in); return c.PacketConn.Close() }

func (c *liars) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var q krpc.Message
	krpc.Parse(b, &q)
	reply := krpc.Message{Kind: krpc.KindReply, TID: q.TID, Fields: krpc.FieldID | krpc.FieldNodes, ID: c.ids[to]}
	for range 8 {
		c.told++
		info := kad.NodeInfo{ID: q.Target, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(c.told >> 16), byte(c.told >> 8), byte(c.told)}), 9)}
		near := 1<<24 - c.told
		info.ID[17], info.ID[18], info.ID[19] = info.ID[17]^byte(near>>16), info.ID[18]^byte(near>>8), info.ID[19]^byte(near)
		c.ids[info.Addr] = info.ID
		reply.Nodes = krpc.AppendNode(reply.Nodes, info)
	}
	c.in <- lie{krpc.Append(nil, &reply), to}
	return len(b), nil
}

// Liars without end are asked MaxAsked times.
func TestMaxAskedStopsALookup(t *testing.T) {
	inLab(t, func(l *lab) {
		conn := &liars{PacketConn: l.listen(addrA), in: make(chan lie, 1000), ids: map[netip.AddrPort]kad.ID{}}
		a := l.node("", lightdht.Config{Conn4: conn, Lookup: lightdht.LookupConfig{MaxAsked: 100}})
		info := kad.NodeInfo{ID: idOf("liar"), Addr: at(addrB)}
		conn.ids[info.Addr] = info.ID
		know(a, info, now())
		for _, c := range []struct{ max, want int }{{0, 100}, {17, 17}, {1000, 1000}} {
			for step, err := range a.LookupWith(l.ctx, rand9(), lightdht.LookupConfig{MaxAsked: c.max}) {
				if err != nil {
					t.Fatal(err)
				}
				if step.Result != nil && (step.Result.Asked != c.want || len(step.Result.Closest) != 8) {
					t.Errorf("MaxAsked %d: asked %d", c.max, step.Result.Asked)
				}
			}
		}
	})
}

func rand9() kad.ID { return randomID(rand.New(rand.NewPCG(9, 9))) }

// A wide lookup through liars keeps a bounded list and counts what it left.
func TestLookupBoundsItsList(t *testing.T) {
	inLab(t, func(l *lab) {
		conn := &liars{PacketConn: l.listen(addrA), in: make(chan lie, 1000), ids: map[netip.AddrPort]kad.ID{}}
		a := l.node("", lightdht.Config{Conn4: conn})
		for i := range 8 {
			info := kad.NodeInfo{ID: idOf(string(rune('a' + i))), Addr: netip.AddrPortFrom(at(addrB).Addr(), uint16(i+1))}
			conn.ids[info.Addr] = info.ID
			know(a, info, now())
		}
		began := time.Now()
		for step, err := range a.LookupWith(l.ctx, rand9(), lightdht.LookupConfig{Width: 5000, MaxAsked: 3000}) {
			if err != nil || step.Result != nil && step.Result.Asked > 3000 {
				t.Fatal(step.Result, err)
			}
		}
		if time.Since(began) != 0 || a.Count(lightdht.CandidatesLeft) == 0 {
			t.Errorf("after %v, %d candidates were left", time.Since(began), a.Count(lightdht.CandidatesLeft))
		}
	})
}
