package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/testnet"
	"github.com/lightdht/lightdht/table"
	"github.com/urfave/cli/v2"
)

// inMemory runs a test with a session whose node knows one other, on a network
// of their own, both of which know each other. What the session writes and says
// is in the buffers.
func inMemory(t *testing.T, test func(c *cli.Context, s *session, net *testnet.Memory, data, said *bytes.Buffer)) {
	synctest.Test(t, func(t *testing.T) {
		var net testnet.Memory
		var data, said bytes.Buffer
		out, err := newRows(&data, "text", "any")
		if err != nil {
			t.Fatal(err)
		}
		s := &session{out: out, stderr: &said, node: memoryNode(t, &net, "10.0.0.1:1")}
		defer s.close()
		other := memoryNode(t, &net, "10.0.0.2:2")
		defer other.Close()
		info := kad.NodeInfo{ID: other.ID(), Addr: other.Addr(kad.IPv4)}
		s.node.Table(kad.IPv4).Observe(table.Sighting{Node: info, Time: time.Now(), Event: table.Replied})
		c := cli.NewContext(cli.NewApp(), flag.NewFlagSet("", flag.PanicOnError), nil)
		c.Context = t.Context()
		test(c, s, &net, &data, &said)
	})
}

func memoryNode(t *testing.T, net *testnet.Memory, addr string) *lightdht.Node {
	t.Helper()
	conn, err := net.Listen(netip.MustParseAddrPort(addr))
	if err != nil {
		t.Fatal(err)
	}
	node, err := lightdht.Listen("", lightdht.Config{Conn4: conn, Network: lightdht.Private})
	if err != nil {
		t.Fatal(err)
	}
	return node
}

// lose has a network lose the queries for a target.
func lose(net *testnet.Memory, target kad.ID) {
	net.Tap(func(_, _ netip.AddrPort, b []byte) bool {
		var m krpc.Message
		return krpc.Parse(b, &m) != nil || m.Kind != krpc.KindQuery || m.Target != target
	})
}

// Of several lookups one that nobody answers is told and ends nothing; the run
// fails at its end. It is the same wherever in the run it stands.
func TestRunGoesOnWithoutAnAnswer(t *testing.T) {
	for lost := range 3 {
		inMemory(t, func(c *cli.Context, s *session, net *testnet.Memory, _, said *bytes.Buffer) {
			ids := []kad.ID{{1}, {2}, {3}}
			lose(net, ids[lost])
			var stepped, done []kad.ID
			err := lookups{
				ids: ids,
				step: func(id kad.ID, step lightdht.Step) error {
					if step.Event == lightdht.Done {
						stepped = append(stepped, id)
					}
					return nil
				},
				done: func(res *lightdht.LookupResult) error { done = append(done, res.Target); return nil },
			}.run(c, s)
			if err == nil || err.Error() != "1 of 3 lookups failed: see above" {
				t.Errorf("%d: %v", lost, err)
			}
			if want := slices.Delete(slices.Clone(ids), lost, lost+1); !slices.Equal(done, want) || !slices.Equal(stepped, ids) {
				t.Errorf("%d: results of %v and steps of %v, want results of %v", lost, done, stepped, want)
			}
			if want := fmt.Sprintf("lookup of %s: nobody answered (1 asked): name another node", ids[lost]); !strings.HasPrefix(said.String(), want) || strings.Count(said.String(), "\n") != 1 {
				t.Errorf("%d: said %q, want %q", lost, said, want)
			}
		})
	}
}

// One lookup alone that nobody answers is the error of the run.
func TestRunOfOneWithoutAnAnswer(t *testing.T) {
	inMemory(t, func(c *cli.Context, s *session, net *testnet.Memory, _, said *bytes.Buffer) {
		lose(net, kad.ID{1})
		err := lookups{ids: []kad.ID{{1}}, done: func(*lightdht.LookupResult) error { t.Error("a result"); return nil }}.run(c, s)
		if !errors.Is(err, lightdht.ErrNoAnswer) || !strings.HasPrefix(err.Error(), "lookup of 01") || said.Len() > 0 {
			t.Errorf("%v; said %q", err, said)
		}
	})
}

// Whatever else goes wrong ends the run at once.
func TestRunEndsWithAnError(t *testing.T) {
	broken := errors.New("broken")
	for name, l := range map[string]lookups{
		"step": {step: func(kad.ID, lightdht.Step) error { return broken }, done: func(*lightdht.LookupResult) error { return nil }},
		"done": {done: func(*lightdht.LookupResult) error { return broken }},
	} {
		t.Run(name, func(t *testing.T) {
			inMemory(t, func(c *cli.Context, s *session, net *testnet.Memory, _, _ *bytes.Buffer) {
				l.ids = []kad.ID{{1}, {2}}
				net.Tap(func(_, _ netip.AddrPort, b []byte) bool {
					var m krpc.Message
					if krpc.Parse(b, &m) == nil && m.Target == l.ids[1] {
						t.Error("the second lookup began")
					}
					return true
				})
				if err := l.run(c, s); !errors.Is(err, broken) {
					t.Error(err)
				}
			})
		})
	}
	inMemory(t, func(c *cli.Context, s *session, _ *testnet.Memory, _, _ *bytes.Buffer) {
		ctx, cancel := context.WithCancel(c.Context)
		cancel()
		c.Context = ctx
		done := func(*lightdht.LookupResult) error { t.Error("a result"); return nil }
		if err := (lookups{ids: []kad.ID{{1}, {2}}, done: done}).run(c, s); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// All pings are under way at one time; answers and failures are told in the
// order of the addresses.
func TestPingAll(t *testing.T) {
	inMemory(t, func(c *cli.Context, s *session, _ *testnet.Memory, data, said *bytes.Buffer) {
		var addrs [][]netip.AddrPort
		for _, addr := range []string{"10.0.0.7:7", "10.0.0.2:2", "10.0.0.8:8", "10.0.0.2:2"} {
			addrs = append(addrs, []netip.AddrPort{netip.MustParseAddrPort(addr)})
		}
		began := time.Now()
		err := s.pingAll(c.Context, addrs)
		if took := time.Since(began); err == nil || err.Error() != "2 of 4 nodes gave no answer to the ping" || took != 5*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
		lines := strings.Split(said.String(), "\n")
		if len(lines) != 3 || !strings.HasPrefix(lines[0], "ping to 10.0.0.7:7: ") || !strings.HasPrefix(lines[1], "ping to 10.0.0.8:8: ") {
			t.Errorf("said %q", lines)
		}
		if got := data.String(); strings.Count(got, "10.0.0.2:2\t") != 2 || strings.Count(got, "\n") != 2 {
			t.Errorf("wrote %q", got)
		}
		if err := s.pingAll(c.Context, addrs[:1]); !errors.Is(err, lightdht.ErrTimeout) || strings.Count(said.String(), "\n") != 2 {
			t.Errorf("one alone: %v", err)
		}
	})
}

// Of a name with several addresses any that answers will do; one of a family that
// we do not have is the failure only when there is no other.
func TestPingAny(t *testing.T) {
	inMemory(t, func(c *cli.Context, s *session, _ *testnet.Memory, data, _ *bytes.Buffer) {
		at := netip.MustParseAddrPort
		node := [][]netip.AddrPort{{at("[fd00::1]:7"), at("10.0.0.7:7"), at("10.0.0.2:2")}}
		if err := s.pingAll(c.Context, node); err != nil || !strings.HasPrefix(data.String(), "10.0.0.2:2\t") {
			t.Errorf("wrote %q, %v", data, err)
		}
		node[0] = node[0][:2]
		if err := s.pingAll(c.Context, node); !errors.Is(err, lightdht.ErrTimeout) {
			t.Errorf("silent: %v", err)
		}
		node[0] = node[0][:1]
		if err := s.pingAll(c.Context, node); !errors.Is(err, lightdht.ErrFamily) {
			t.Errorf("no address of ours: %v", err)
		}
	})
}

// What one lookup alone could not do, and what ends a run of several.
func TestSingle(t *testing.T) {
	boot := &lightdht.BootstrapError{}
	for _, tt := range []struct {
		err    error
		others bool
		want   bool
	}{
		{fmt.Errorf("x: %w", lightdht.ErrNoAnswer), false, true},
		{fmt.Errorf("x: %w", lightdht.ErrNotTaken), false, true},
		{boot, false, false},
		{boot, true, true},
		{errors.New("no space left on device"), true, false},
		{context.Canceled, true, false},
	} {
		if got := single(tt.err, tt.others); got != tt.want {
			t.Errorf("%v, others %t: %t", tt.err, tt.others, got)
		}
	}
}

// A lookup says of each family how many were found and how far the last is.
func TestSpacings(t *testing.T) {
	four, six := netip.MustParseAddrPort("192.0.2.1:1"), netip.MustParseAddrPort("[2001:db8::1]:1")
	answer := func(addr netip.AddrPort, first byte) lightdht.Answer {
		return lightdht.Answer{NodeInfo: kad.NodeInfo{ID: kad.ID{first}, Addr: addr}}
	}
	sizes := spacings{}
	sizes.add(&lightdht.LookupResult{Target: kad.ID{0x80}, Closest: []lightdht.Answer{
		answer(four, 0x81), answer(four, 0x84), answer(four, 0xa0), // 0x01, 0x04 and 0x20 away, of 0x100
		answer(six, 0x82), answer(six, 0xc0), // 0x02 and 0x40
	}})
	sizes.add(&lightdht.LookupResult{Target: kad.ID{}, Closest: []lightdht.Answer{answer(six, 0x10)}})
	sizes.add(&lightdht.LookupResult{Target: kad.ID{}})
	want := spacings{
		kad.IPv4: {{K: 3, Distance: 1. / 8}},
		kad.IPv6: {{K: 2, Distance: 1. / 4}, {K: 1, Distance: 1. / 16}},
	}
	for _, f := range []kad.Family{kad.IPv4, kad.IPv6} {
		near := func(a, b analysis.Spacing) bool { return a.K == b.K && math.Abs(a.Distance-b.Distance) < 1e-12 }
		if !slices.EqualFunc(sizes[f], want[f], near) {
			t.Errorf("%s: %v, want %v", f, sizes[f], want[f])
		}
	}
	if len(sizes) != 2 {
		t.Errorf("families: %v", sizes)
	}
}
