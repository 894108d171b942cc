package lightdht_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// Auto is Private when the node listens on a local address, or all that it
// begins with is one.
func TestNetworkIsGuessed(t *testing.T) {
	for _, c := range []struct {
		local      string
		cfg        lightdht.Config
		want       lightdht.Network
		wantString string
	}{
		{"1.2.3.4:1", lightdht.Config{}, lightdht.Public, "public"},
		{"0.0.0.0:1", lightdht.Config{}, lightdht.Public, "public"},
		{"127.0.0.1:1", lightdht.Config{}, lightdht.Private, "private"},
		{"192.168.1.1:1", lightdht.Config{}, lightdht.Private, "private"},
		{"[::1]:1", lightdht.Config{}, lightdht.Private, "private"},
		{"[fe80::1]:1", lightdht.Config{}, lightdht.Private, "private"},
		{"0.0.0.0:1", lightdht.Config{Bootstrap: []string{"127.0.0.1:2"}}, lightdht.Private, "private"},
		{"0.0.0.0:1", lightdht.Config{Bootstrap: []string{"localhost:2"}, Routers: []string{"10.1.2.3:4"}}, lightdht.Private, "private"},
		{"0.0.0.0:1", lightdht.Config{Bootstrap: []string{"127.0.0.1:2", "1.2.3.4:5"}}, lightdht.Public, "public"},
		{"0.0.0.0:1", lightdht.Config{Bootstrap: []string{"router.test:2"}}, lightdht.Public, "public"},
		{"0.0.0.0:1", lightdht.Config{Routers: []string{"nonsense"}}, lightdht.Public, "public"},
		{"127.0.0.1:1", lightdht.Config{Network: lightdht.Public}, lightdht.Public, "public"},
		{"1.2.3.4:1", lightdht.Config{Network: lightdht.Private}, lightdht.Private, "private"},
	} {
		inLab(t, func(l *lab) {
			cfg := c.cfg
			if conn := l.listen(c.local); at(c.local).Addr().Is4() {
				cfg.Conn4 = conn
			} else {
				cfg.Conn6 = conn
			}
			n, err := lightdht.Listen("", cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer n.Close()
			if told := cfg.NetworkAt(""); told != c.want {
				t.Errorf("on %s with %v, %v: told %s before, want %s", c.local, c.cfg.Bootstrap, c.cfg.Routers, told, c.want)
			}
			if n.Network() != c.want || n.Network().String() != c.wantString {
				t.Errorf("on %s with %v, %v: %s, want %s", c.local, c.cfg.Bootstrap, c.cfg.Routers, n.Network(), c.want)
			}
		})
	}
	if lightdht.Auto.String() != "auto" {
		t.Error(lightdht.Auto)
	}
}

// Which network it is can be told before there is a socket.
func TestNetworkAt(t *testing.T) {
	local := lightdht.Config{Bootstrap: []string{"127.0.0.1:2"}}
	for _, c := range []struct {
		addr string
		cfg  lightdht.Config
		want lightdht.Network
	}{
		{":0", lightdht.Config{}, lightdht.Public},
		{":6881", local, lightdht.Private},
		{"0.0.0.0:0", lightdht.Config{}, lightdht.Public},
		{"[::]:0", lightdht.Config{}, lightdht.Public},
		{"127.0.0.1:0", lightdht.Config{}, lightdht.Private},
		{"[::1]:6881", lightdht.Config{}, lightdht.Private},
		{"[::ffff:10.0.0.1]:6881", lightdht.Config{}, lightdht.Private},
		{"192.0.2.1:6881", lightdht.Config{}, lightdht.Public},
		{"127.0.0.1:0", lightdht.Config{Network: lightdht.Public}, lightdht.Public},
		{":0", lightdht.Config{Network: lightdht.Private}, lightdht.Private},
		{"nonsense", lightdht.Config{}, lightdht.Public},
		{"nonsense", local, lightdht.Private},
	} {
		if got := c.cfg.NetworkAt(c.addr); got != c.want {
			t.Errorf("%s with %v: %s, want %s", c.addr, c.cfg.Bootstrap, got, c.want)
		}
	}
}

// With nothing to begin with a public node asks the default routers, a private
// one nobody; a default router named as an ordinary place is a router.
func TestDefaultRouters(t *testing.T) {
	hosts := []string{"router.bittorrent.com", "dht.transmissionbt.com", "router.utorrent.com", "dht.libtorrent.org"}
	for _, c := range []struct {
		cfg  lightdht.Config
		want []string
	}{
		{lightdht.Config{Network: lightdht.Public}, hosts},
		{lightdht.Config{Network: lightdht.Private}, nil},
		{lightdht.Config{Network: lightdht.Public, Bootstrap: []string{"mine.test:1"}}, []string{"mine.test"}},
		{lightdht.Config{Network: lightdht.Public, Bootstrap: lightdht.DefaultRouters[:1]}, hosts[:1]},
	} {
		inLab(t, func(l *lab) {
			var asked []string
			looked := make(chan string, 100)
			cfg := c.cfg
			cfg.Resolve = func(_ context.Context, host string) ([]netip.Addr, error) {
				looked <- host
				return ips("1.2.3.5"), nil
			}
			a := l.node("1.2.3.4:1", cfg)
			r := l.peer("1.2.3.5:6881", answering)
			a.Bootstrap(l.ctx)
			synctest.Wait() // the first answer does not wait for the other names
			for len(looked) > 0 {
				if host := <-looked; !slices.Contains(asked, host) {
					asked = append(asked, host)
				}
			}
			slices.Sort(asked)
			want := slices.Sorted(slices.Values(c.want))
			if !slices.Equal(asked, want) {
				t.Errorf("asked for %v, want %v", asked, want)
			}
			seen, ok := a.Table(kad.IPv4).Get(kad.NodeInfo{ID: r.id, Addr: r.addr})
			if isDefault := len(c.want) > 0 && c.want[0] != "mine.test"; isDefault && (!ok || !seen.Router) {
				t.Errorf("the router is %+v", seen)
			}
		})
	}
}

// Whoever is found at a router's address is a router, under whatever ID.
func TestRouterIsAnAddress(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{Routers: []string{addrB}})
		r := l.peer(addrB, answering)
		if err := a.Bootstrap(l.ctx); err != nil && !errors.Is(err, lightdht.ErrNoNodes) {
			t.Fatal(err)
		}
		r.id = idOf("another ID")
		r.query(at(addrA), krpc.Ping{})
		if c, ok := a.Table(kad.IPv4).Get(kad.NodeInfo{ID: r.id, Addr: r.addr}); !ok || !c.Router {
			t.Errorf("the contact is %+v", c)
		}
	})
}

// On the public network reserved addresses are neither asked, nor handed out,
// nor answered, nor kept.
func TestPublicNetworkKnowsNoReservedAddresses(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node("1.2.3.4:1", lightdht.Config{Network: lightdht.Public, Bootstrap: []string{"1.2.3.5:1"}})
		private := l.peer(addrB, answering)
		noPort := kad.NodeInfo{ID: idOf("no port"), Addr: at("1.2.3.6:0")}
		l.peer("1.2.3.5:1", func(p *peer, q *packet) {
			list := krpc.AppendNode(nil, kad.NodeInfo{ID: private.id, Addr: private.addr})
			p.reply(q, krpc.Message{Fields: krpc.FieldNodes, Nodes: krpc.AppendNode(list, noPort)})
		})
		private.raw(at("1.2.3.4:1"), string(private.encode(krpc.Ping{})))
		if err := a.Bootstrap(l.ctx); err != nil {
			t.Fatal(err)
		}
		if res, err := a.FindClosest(l.ctx, private.id); err != nil || res.Asked != 1 || res.Failed != 0 {
			t.Fatal(res, err)
		}
		time.Sleep(time.Minute)
		if got := private.take(); len(got) != 0 {
			t.Errorf("sent to a private address: %q", got[0].Raw)
		}
		for c := range a.Contacts() {
			if c.Addr != at("1.2.3.5:1") {
				t.Errorf("known: %s", c.Addr)
			}
		}
		if a.Count(lightdht.FromReserved) != 1 || a.Count(lightdht.MentionRefused) < 4 {
			t.Errorf("%d queries and %d mentions were dropped", a.Count(lightdht.FromReserved), a.Count(lightdht.MentionRefused))
		}
	})
}

// On a private network all addresses are good.
func TestPrivateNetworkKnowsAllAddresses(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node("127.0.0.1:1", lightdht.Config{Network: lightdht.Private})
		for _, addr := range []string{"10.0.0.2:1", "127.0.0.1:2", "192.0.2.1:3", "8.8.8.8:4", "240.0.0.1:5"} {
			p := l.peer(addr, answering)
			if got := p.query(at("127.0.0.1:1"), krpc.Ping{}); got.ID != a.ID() {
				t.Errorf("%s was not answered", addr)
			}
			if _, err := a.Ping(l.ctx, p.addr); err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		if a.Len() != 5 {
			t.Errorf("%d contacts, want 5", a.Len())
		}
	})
}

// A place that turns out to be reserved is an error that says so.
func TestBootstrapAtAReservedAddress(t *testing.T) {
	inLab(t, func(l *lab) {
		names := resolver{"b.test": ips("192.168.1.1")}
		a := l.node("1.2.3.4:1", lightdht.Config{Network: lightdht.Public, Bootstrap: []string{"b.test:1"}, Resolve: names.resolve})
		if err := a.Bootstrap(l.ctx); !errors.Is(err, lightdht.ErrReserved) {
			t.Error(err)
		}
	})
}
