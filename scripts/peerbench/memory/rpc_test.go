package memory

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	bkrpc "github.com/anacrolix/dht/v2/krpc"
	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// linked returns a link whose ends have been started.
func linked(t *testing.T, method string, query krpc.Query, nodes int) *link {
	t.Helper()
	l := newLink(method, query, nodes)
	if err := errors.Join(l.light.start(l), l.other.start(l)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.light.node.Close(); l.other.server.Close() })
	return l
}

// ways are all ways to ask.
func (l *link) ways() map[string]work {
	return map[string]work{
		"lightdht waits": l.light.wait, "lightdht is called back": l.light.callBack,
		"lightdht has 3 in flight": func(ctx context.Context, n int) error { return l.light.fly(ctx, n, 3) },
		"anacrolix waits":          l.other.wait, "anacrolix is called back": l.other.callBack,
		"anacrolix has 3 in flight": func(ctx context.Context, n int) error { return l.other.fly(ctx, n, 3) },
	}
}

func TestAsk(t *testing.T) {
	for _, l := range []*link{
		linked(t, "ping", krpc.Ping{}, 0),
		linked(t, "find_node", krpc.FindNode{Target: someTarget}, 8),
	} {
		for name, do := range l.ways() {
			if err := do(t.Context(), 20); err != nil {
				t.Errorf("%s for %s: %v", name, l.method, err)
			}
		}
		if replies := l.light.node.Count(lightdht.RepliesIn); replies != 60 {
			t.Errorf("lightdht has had %d replies, want 20 for each way", replies)
		}
	}
}

// A reply that is not what the peer wrote is an error, whoever asked and how.
func TestStrangers(t *testing.T) {
	for _, change := range []func(l *link){
		func(l *link) { l.light.peer.id, l.other.peer.id = kad.ID{1}, kad.ID{1} },
		func(l *link) { l.light.nodes, l.other.nodes = 7, 7 },
	} {
		l := linked(t, "find_node", krpc.FindNode{Target: someTarget}, 8)
		change(l)
		for name, do := range l.ways() {
			if err := do(t.Context(), 20); err != errStranger {
				t.Errorf("%s: %v, want %v", name, err, errStranger)
			}
		}
	}
}

// The nodes in a reply are those that the peer was given, to both.
func TestNodesInReplies(t *testing.T) {
	l := linked(t, "find_node", krpc.FindNode{Target: someTarget}, 8)
	want := slices.Collect(newOffer(8).contacts())
	r, err := l.light.node.Do(t.Context(), l.light.peer.at.addr, l.light.query)
	if got := slices.Collect(r.Nodes.All()); err != nil || !slices.Equal(got, want) {
		t.Errorf("lightdht was told %v, %v, want %v", got, err, want)
	}
	res := l.other.server.Query(t.Context(), l.other.addr, l.method, l.other.input)
	if res.Err != nil || !slices.Equal(nodesOf(res.Reply), want) {
		t.Errorf("anacrolix was told %v, %v, want %v", res.Reply.R, res.Err, want)
	}
}

// crowd is a peer that answers when so many have asked, and keeps what they asked.
type crowd struct {
	*peer
	size int

	mu      sync.Mutex
	waiting [][]byte
	asked   []string
}

func (c *crowd) sent(b []byte, to netip.AddrPort) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = append(c.waiting, slices.Clone(b))
	c.asked = append(c.asked, string(b))
	if len(c.waiting) < c.size {
		return
	}
	for _, b := range c.waiting {
		c.peer.sent(b, to)
	}
	c.waiting = c.waiting[:0]
}

// As many are in flight as is said: a crowd that waits for all of them comes
// together.
func TestInFlight(t *testing.T) {
	l := newLink("find_node", krpc.FindNode{Target: someTarget}, 0)
	for name, open := range map[string]func(*crowd) error{
		lightName: func(c *crowd) error { return l.light.open(l, c.peer, c) },
		otherName: func(c *crowd) error { return l.other.open(l, c.peer, c) },
	} {
		c := &crowd{peer: l.peer(), size: flights}
		if err := open(c); err != nil {
			t.Fatal(err)
		}
		do := l.light.fly
		if name == otherName {
			do = l.other.fly
		}
		if err := do(t.Context(), 3*flights, flights); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		c.checkAsked(t, name)
	}
	l.light.node.Close()
	l.other.server.Close()
}

// checkAsked holds what was asked to the target, and the count to three rounds.
func (c *crowd) checkAsked(t *testing.T, name string) {
	strange := slices.ContainsFunc(c.asked, func(s string) bool {
		return !strings.Contains(s, "6:target20:"+string(someTarget[:])) || !strings.Contains(s, "2:id20:"+string(ourID[:]))
	})
	if len(c.asked) != 3*flights || strange {
		t.Errorf("%s asked %d times, the last being %q", name, len(c.asked), c.asked[len(c.asked)-1])
	}
}

func TestTIDAfter(t *testing.T) {
	for in, want := range map[string]string{
		"d1:q4:ping1:t2:aa1:y1:qe": "2:aa", "1:q4:ping1:t10:0123456789": "10:0123456789",
		"1:q4:ping1:t9:short": "", "1:q4:ping1:t": "", "1:q4:pong1:t2:aa": "", "1:q4:ping1:t99:" + strings.Repeat("x", 99): "",
	} {
		got, ok := tidAfter([]byte(in), []byte("1:q4:ping1:t"))
		if ok != (want != "") || ok && string(got.b[:got.n]) != want {
			t.Errorf("%q: %q, %v, want %q", in, got.b[:got.n], ok, want)
		}
	}
}

// A place is one address in both forms.
func TestPlace(t *testing.T) {
	theirs := bkrpc.NodeAddr{IP: near.udp.IP, Port: near.udp.Port}
	if near.udp.AddrPort() != near.addr || theirs.String() != near.addr.String() {
		t.Errorf("%v and %v are not %v", near.udp, theirs, near.addr)
	}
}
