package lightdht_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// resolver knows some names.
type resolver map[string][]netip.Addr

func (r resolver) resolve(_ context.Context, host string) ([]netip.Addr, error) {
	if addrs := r[host]; addrs != nil {
		return addrs, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func ips(addrs ...string) (out []netip.Addr) {
	for _, a := range addrs {
		out = append(out, netip.MustParseAddr(a))
	}
	return out
}

// times returns when a peer was asked, since began.
func times(p *peer, began time.Time) (out []time.Duration) {
	for _, q := range p.took(krpc.KindQuery) {
		out = append(out, q.at.Sub(began))
	}
	return out
}

// Every address of every place is asked in each of four rounds, all at one time,
// with growing pauses; the error names each and why.
func TestBootstrapOfSilence(t *testing.T) {
	inLab(t, func(l *lab) {
		names := resolver{"two.test": ips("10.0.0.2", "::ffff:10.0.0.3"), "one.test": ips("10.0.0.4"), "six.test": ips("fd00::1")}
		a := l.node(addrA, lightdht.Config{
			Bootstrap: []string{"two.test:1000", "10.0.0.5:1000", "six.test:1"}, Routers: []string{"one.test:1000", "none.test:6881"},
			Resolve: names.resolve,
		})
		var peers []*peer
		for i := range 4 {
			peers = append(peers, l.peer(fmt.Sprintf("10.0.0.%d:1000", i+2), nil))
		}
		began := time.Now()
		err := a.Bootstrap(l.ctx)
		if took := time.Since(began); took != 27*s {
			t.Errorf("it took %v, want four time-outs of 5 s and pauses of 1, 2 and 4 s", took)
		}
		for _, p := range peers {
			if got, want := times(p, began), []time.Duration{0, 6 * s, 13 * s, 22 * s}; !slices.Equal(got, want) {
				t.Errorf("%s was asked at %v, want %v", p.addr, got, want)
			}
		}
		var b *lightdht.BootstrapError
		if !errors.As(err, &b) || b.Tries != 4 || !errors.Is(err, lightdht.ErrTimeout) {
			t.Fatalf("the error is %#v", err)
		}
		var got []string
		for _, f := range b.Tried {
			got = append(got, fmt.Sprintf("%s %s %v", f.Host, f.Addr, f.Err))
		}
		slices.Sort(got)
		want := []string{
			"10.0.0.5:1000 10.0.0.5:1000 no answer in time",
			"none.test:6881 invalid AddrPort no such host",
			"one.test:1000 10.0.0.4:1000 no answer in time",
			"six.test:1 invalid AddrPort no address of a family that this node listens on",
			"two.test:1000 10.0.0.2:1000 no answer in time",
			"two.test:1000 10.0.0.3:1000 no answer in time",
		}
		if !slices.Equal(got, want) {
			t.Errorf("tried:\n%q\nwant\n%q", got, want)
		}
	})
}

// The pauses follow the time-out of the node.
func TestBootstrapPausesFollowTheTimeout(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{Timeout: 100 * ms, Bootstrap: []string{addrB}})
		b := l.peer(addrB, nil)
		began := time.Now()
		a.Bootstrap(l.ctx)
		if got, want := times(b, began), []time.Duration{0, 120 * ms, 260 * ms, 440 * ms}; !slices.Equal(got, want) {
			t.Errorf("asked at %v, want %v", got, want)
		}
	})
}

func TestBootstrapErrorReads(t *testing.T) {
	err := &lightdht.BootstrapError{Tries: 4, Tried: []lightdht.BootstrapFailure{
		{Host: "a.test:1", Addr: at("10.0.0.2:1"), Err: lightdht.ErrTimeout},
		{Host: "b.test:1", Err: errors.New("no such host")},
		{Host: "10.0.0.3:1", Addr: at("10.0.0.3:1"), Err: lightdht.ErrTimeout},
	}}
	want := "no bootstrap node answered in 4 tries: a.test:1 (10.0.0.2:1): no answer in time; b.test:1: no such host; 10.0.0.3:1: no answer in time"
	if err.Error() != want {
		t.Errorf("%s", err)
	}
}

// What cannot help later is not tried again.
func TestBootstrapOfNonsense(t *testing.T) {
	for place, want := range map[string]string{
		"nowhere.test:1": "no such host",
		"10.0.0.2":       "want host:port",
		"10.0.0.2:0":     "the port is a number from 1 to 65535",
		"10.0.0.2:99999": "the port is a number from 1 to 65535",
		"[fd00::1]:1":    "no address of a family that this node listens on",
	} {
		inLab(t, func(l *lab) {
			a := l.node(addrA, lightdht.Config{Bootstrap: []string{place}, Resolve: resolver{}.resolve})
			began := time.Now()
			err := a.Bootstrap(l.ctx)
			if text := "no bootstrap node answered: " + place + ": " + want; err == nil || err.Error() != text || time.Since(began) != 0 {
				t.Errorf("after %v: %v, want %s", time.Since(began), err, text)
			}
		})
	}
}

// A name that could not be looked up this time may be the next.
func TestBootstrapTriesNamesAgain(t *testing.T) {
	inLab(t, func(l *lab) {
		tries := 0
		a := l.node(addrA, lightdht.Config{Bootstrap: []string{"b.test:1002"}, Resolve: func(context.Context, string) ([]netip.Addr, error) {
			if tries++; tries < 3 {
				return nil, &net.DNSError{Err: "server misbehaving", IsTemporary: true}
			}
			return ips("10.0.0.2"), nil
		}})
		l.peer(addrB, answering)
		began := time.Now()
		if err := a.Bootstrap(l.ctx); err != nil || time.Since(began) != 3*s {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

// The first answer is enough; who answers later is recorded when it does.
func TestBootstrapWaitsForTheFirst(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{Bootstrap: []string{addrB, addrC, addrD}})
		after := func(d time.Duration) func(p *peer, q *packet) {
			return func(p *peer, q *packet) { time.AfterFunc(d, func() { answering(p, q) }) }
		}
		l.peer(addrB, nil)
		l.peer(addrC, after(100*ms))
		d := l.peer(addrD, after(2*s))
		began := time.Now()
		if err := a.Bootstrap(l.ctx); err != nil || time.Since(began) != 200*ms { // it, and then the lookup
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		time.Sleep(2 * s)
		synctest.Wait()
		if c, ok := a.Table(kad.IPv4).Get(kad.NodeInfo{ID: d.id, Addr: d.addr}); !ok || c.LastRTT != 2*s {
			t.Errorf("who answered later is %+v", c)
		}
	})
}

// Routers introduce: they are asked for nodes near us and for nothing else, and
// handed out to nobody. It makes no difference if their answer comes late.
func TestRoutersOnlyIntroduce(t *testing.T) {
	for _, delay := range []time.Duration{0, 5500 * ms} {
		inLab(t, func(l *lab) {
			node := l.peer(addrC, answering)
			router := l.peer(addrB, func(p *peer, q *packet) {
				time.AfterFunc(delay, func() {
					p.reply(q, krpc.Message{Fields: krpc.FieldNodes, Nodes: krpc.AppendNode(nil, kad.NodeInfo{ID: node.id, Addr: node.addr})})
				})
			})
			a := l.node(addrA, lightdht.Config{Routers: []string{addrB}})
			if err := a.Bootstrap(l.ctx); (err == nil) != (delay == 0) {
				t.Error(err)
			}
			time.Sleep(10 * s)
			c, ok := a.Table(kad.IPv4).Get(kad.NodeInfo{ID: router.id, Addr: router.addr})
			if !ok || !c.Router || c.Replies == 0 {
				t.Errorf("the router is %+v", c)
			}
			for _, q := range router.took(krpc.KindQuery) {
				if q.Method != krpc.MethodFindNode || q.Target != a.ID() {
					t.Errorf("the router was asked %q", q.Raw)
				}
			}
			a.FindPeers(l.ctx, router.id)
			for _, q := range router.took(krpc.KindQuery) { // as long as nobody else has answered
				if delay == 0 || q.Method != krpc.MethodFindNode || q.Target != a.ID() {
					t.Errorf("the router was asked %q", q.Raw)
				}
			}
			if got := node.query(at(addrA), krpc.FindNode{Target: router.id}); slices.Contains(got.NodeInfos(), c.Info()) {
				t.Error("the router was handed out")
			}
		})
	}
}

func TestBootstrapEndsWithItsContext(t *testing.T) {
	for _, after := range []time.Duration{0, 2500 * ms, 5500 * ms} { // before, in a round, in a pause
		inLab(t, func(l *lab) {
			a := l.node(addrA, lightdht.Config{Bootstrap: []string{addrB}})
			why := errors.New("enough")
			ctx, cancel := context.WithCancelCause(l.ctx)
			if after == 0 {
				cancel(why)
			}
			time.AfterFunc(after, func() { cancel(why) })
			began := time.Now()
			err := a.Bootstrap(ctx)
			if took := time.Since(began); took != after || !errors.Is(err, why) {
				t.Errorf("after %v: %v", took, err)
			}
			synctest.Wait() // the calls end by themselves
			if calls, _ := a.Waiting(); calls != 0 {
				t.Errorf("%d calls wait", calls)
			}
		})
	}
}

func TestBootstrapEndsWithItsNode(t *testing.T) {
	for _, after := range []time.Duration{2500 * ms, 5500 * ms} {
		inLab(t, func(l *lab) {
			a := l.node(addrA, lightdht.Config{Bootstrap: []string{addrB}})
			began := time.Now()
			time.AfterFunc(after, func() { a.Close() })
			err := a.Bootstrap(l.ctx)
			if took := time.Since(began); took != after || !errors.Is(err, lightdht.ErrClosed) {
				t.Errorf("after %v: %v", took, err)
			}
		})
	}
}

// A resolver that takes its time ends with the node.
func TestResolverEndsWithTheNode(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{Bootstrap: []string{"slow.test:1"}, Resolve: func(ctx context.Context, _ string) ([]netip.Addr, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		time.AfterFunc(s, func() { a.Close() })
		began := time.Now()
		if err := a.Bootstrap(l.ctx); !errors.Is(err, lightdht.ErrClosed) || time.Since(began) != s {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}
