package lightdht

import (
	"context"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/table"
)

// Config says how a node behaves. The zero Config is good: an ordinary node of
// the public network.
type Config struct {
	ID      kad.ID  // our node ID; zero: that of Last, or a random one, which on the public network follows our address (BEP 42)
	Network Network // which network this is; zero: Auto

	// Last is who the node was when it ran last, as Node.Identity told; zero:
	// nobody. Without an ID above it is that node again: it begins with its ID,
	// which follows our address all the same. On the public network it also takes
	// itself to be where others saw it, until enough of them say otherwise, and
	// begins with another ID if that one does not fit there.
	Last Identity

	// Bootstrap lists host:port places to begin with: ordinary nodes that may
	// also be asked and handed out. Routers lists those that only introduce:
	// they are flagged, never handed out and never asked for peers.
	// When both are empty on the public network, Routers is DefaultRouters; a
	// DefaultRouters entry in Bootstrap counts as a router.
	Bootstrap []string
	Routers   []string

	NewTable func() table.Table // a table for each family; nil: table.NewPrefix

	// Share is another node of this process, of the same network, beside which
	// this one is a vantage: its tables, limits on sending and ledger are this
	// one's too, whatever NewTable, MaxIDsPerAddr, MaxContacts and Limits say (but
	// for Inbound: each bans on its own), and neither is a contact of the other.
	// nil: none.
	Share *Node

	ReadOnly bool // mark our queries read-only and answer nothing, BEP 43

	// What the tables do not take in, counted in IDsRefused and ContactsRefused.
	MaxIDsPerAddr int // IDs kept at one IP address (IPv6: in one /64), below 65,536, a quarter of them for those that answer; 0: 256 on the public network, no limit on a private one; below 0: no limit
	MaxContacts   int // contacts in each family beyond which others are let in only when they answer; 0: no limit

	Handler Handler // answers queries; nil: DefaultHandler
	Trace   *Trace  // sees every packet; nil: nobody

	// Recorder is given a row for each sighting, each query that is acted on, each
	// query of ours when it ends and each lookup; and one for each address that was
	// asked, did not answer, and has no ID that is known. nil: nobody. What begins
	// after Close is not recorded; a lookup that Close ends may be just after it.
	Recorder record.Recorder

	// IDFor says which ID to show to the node at to, in a query or an answer that
	// is about target (the zero ID when it is about none); nil, or a zero result:
	// our own. It is called from many goroutines.
	IDFor func(target kad.ID, to netip.AddrPort) kad.ID

	Upkeep UpkeepConfig // what the node does on its own
	Limits Limits       // how much it sends, and lets itself be sent
	OptOut *OptOut      // networks that nothing is ever sent to; nil: none

	// SecureOnly makes lookups count only nodes whose ID BEP 42 allows at their
	// address, and take no tokens from others. On the public network only.
	SecureOnly bool

	Timeout time.Duration // how long a query waits for its answer; 0: 5 s
	Lookup  LookupConfig  // defaults for lookups; its zero fields have defaults of their own

	PeerTTL       time.Duration // how long an announced peer is kept; 0: 30 min
	MaxPeers      int           // announced peers kept for an infohash in each family, the oldest making room; 0: 2,000
	MaxInfohashes int           // infohashes with announced peers in each family, further ones being refused; 0: 20,000

	Version []byte       // what we call ourselves in v, BEP 20; nil: DefaultVersion
	Logger  *slog.Logger // nil: silent

	// In place of sockets that Listen opens: a node with Conn4 or Conn6 set uses
	// just these and its listen address is not looked at. It closes them. A
	// *net.UDPConn is treated as one that Listen opened.
	Conn4, Conn6 PacketConn

	// Resolve looks up the addresses of a bootstrap host; nil: the system's
	// resolver. It must heed its context, since Close waits for it.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
}

// DefaultRouters are the well-known introducers of the public network.
var DefaultRouters = []string{
	"router.bittorrent.com:6881",
	"dht.transmissionbt.com:6881",
	"router.utorrent.com:6881",
	"dht.libtorrent.org:25401",
}

// DefaultVersion is the client version we tell: LD, then 0.1 (BEP 20's form).
var DefaultVersion = []byte{'L', 'D', 0, 1}

// Network is the kind of network a node lives in. On the public one, private
// and reserved addresses are neither contacted nor handed out, and what they
// send is dropped; on a private one all addresses are allowed.
type Network uint8

// The networks.
const (
	Auto    Network = iota // Private when the node listens on, or all it begins with is, a loopback or private address; else Public
	Public                 // the one DHT of the internet
	Private                // a laboratory, a LAN, this machine
)

// String returns "auto", "public" or "private".
func (n Network) String() string {
	switch n {
	case Public:
		return "public"
	case Private:
		return "private"
	}
	return "auto"
}

const (
	defaultTimeout       = 5 * time.Second
	defaultPeerTTL       = 30 * time.Minute
	defaultMaxPeers      = 2000
	defaultMaxInfohashes = 20000
	defaultIDsPerAddr    = 256
)

// withDefaults fills what is zero, for a node that listens on the addresses
// local. It never changes the caller's slices.
func (c Config) withDefaults(local []netip.Addr) Config {
	if c.Network == Auto {
		c.Network = c.guess(local)
	}
	first := kad.IPv4
	if len(local) > 0 {
		first = kad.FamilyOf(local[0])
	}
	c.ID = c.firstID(first)
	c.Bootstrap, c.Routers = c.introducers()
	if c.NewTable == nil {
		c.NewTable = table.NewPrefix
	}
	if c.MaxIDsPerAddr == 0 && c.Network == Public {
		c.MaxIDsPerAddr = defaultIDsPerAddr
	}
	c.MaxIDsPerAddr = min(c.MaxIDsPerAddr, math.MaxUint16)
	if c.Handler == nil {
		c.Handler = Methods(nil).Handle
	}
	if c.Trace == nil {
		c.Trace = &Trace{}
	}
	c.Upkeep = c.Upkeep.withDefaults()
	c.Limits = c.Limits.withDefaults(c.Network == Public)
	c.Timeout = or(c.Timeout, defaultTimeout)
	c.PeerTTL = or(c.PeerTTL, defaultPeerTTL)
	c.MaxPeers = or(c.MaxPeers, defaultMaxPeers)
	c.MaxInfohashes = or(c.MaxInfohashes, defaultMaxInfohashes)
	c.Lookup = c.Lookup.withDefaults()
	if c.Version == nil {
		c.Version = DefaultVersion
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Resolve == nil {
		c.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	return c
}

// core returns the configuration of a core around an ID of ours.
func (c Config) core(id kad.ID) coreConfig {
	return coreConfig{self: id, spread: c.Network == Public}
}

// guess tells a private network from the public one.
func (c Config) guess(local []netip.Addr) Network {
	if slices.ContainsFunc(local, kad.IsLocal) {
		return Private
	}
	begin := slices.Concat(c.Bootstrap, c.Routers)
	if len(begin) > 0 && !slices.ContainsFunc(begin, func(s string) bool { return !localHost(s) }) {
		return Private
	}
	return Public
}

// NetworkAt returns which network a node with this Config that listens on addr
// lives in, as [Listen] would tell it: Public or Private. It opens no socket, but
// looks up a host that addr names. With an addr that Listen refuses it tells
// what the rest says.
func (c Config) NetworkAt(addr string) Network {
	if c.Network != Auto {
		return c.Network
	}
	var local []netip.Addr
	for _, conn := range []PacketConn{c.Conn4, c.Conn6} {
		if conn != nil {
			local = append(local, localAddr(conn).Addr())
		}
	}
	if at, err := net.ResolveUDPAddr("udp", addr); err == nil && len(local) == 0 {
		local = []netip.Addr{at.AddrPort().Addr().Unmap()}
	}
	return c.guess(local)
}

// localHost reports whether a host:port names a loopback or private address,
// without asking a resolver.
func localHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && kad.IsLocal(addr)
}

// introducers sorts the places to begin with into ordinary nodes and routers.
func (c Config) introducers() (nodes, routers []string) {
	routers = slices.Clone(c.Routers)
	for _, place := range c.Bootstrap {
		if slices.Contains(DefaultRouters, place) {
			routers = append(routers, place)
		} else {
			nodes = append(nodes, place)
		}
	}
	if len(nodes)+len(routers) == 0 && c.Network == Public {
		routers = slices.Clone(DefaultRouters)
	}
	return nodes, routers
}

// or returns v, or def when v is zero or less.
func or[T ~int | ~int64](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}
