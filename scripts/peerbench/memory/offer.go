package memory

import (
	"encoding/binary"
	"iter"
	"math/rand/v2"
	"net/netip"

	dht "github.com/anacrolix/dht/v2"
	bkrpc "github.com/anacrolix/dht/v2/krpc"
	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"golang.org/x/time/rate"
)

// offer is a number of contacts, always the same ones, and the two who were
// offered them. Each is started and filled when it is first needed.
type offer struct {
	size  int
	light lightKeeper
	other otherKeeper
}

func newOffer(size int) *offer { return &offer{size: size} }

// contacts yields the contacts on offer.
func (o *offer) contacts() iter.Seq[kad.NodeInfo] {
	return func(yield func(kad.NodeInfo) bool) {
		r := rand.New(rand.NewPCG(1, 1))
		for i := range o.size {
			ip := netip.AddrFrom4([4]byte{10, byte(1 + i>>16), byte(i >> 8), byte(i)})
			if !yield(kad.NodeInfo{ID: drawID(r), Addr: netip.AddrPortFrom(ip, 6881)}) {
				return
			}
		}
	}
}

// asker is the first contact, so that both know it and neither has to get to.
func (o *offer) asker() (first kad.NodeInfo) {
	for first = range o.contacts() {
		return first
	}
	return first
}

func drawID(r *rand.Rand) (id kad.ID) {
	for i := 0; i < kad.Size; i += 4 {
		binary.BigEndian.PutUint32(id[i:], r.Uint32())
	}
	return id
}

// ourID is the ID of both. Half of all IDs are, like this one, in another half of
// the space than the zero ID, which spares anacrolix a walk through buckets.
var ourID = kad.ID{0xa5, 19: 1}

// noLimits lifts all limits of lightdht.
var noLimits = lightdht.Limits{PerAddr: -1, PerZone: -1, Total: -1, Inbound: -1, Ledger: -1}

// newLight starts lightdht on c.
func newLight(c *conn) (*lightdht.Node, error) {
	return lightdht.Listen("", lightdht.Config{
		ID: ourID, Conn4: c, Network: lightdht.Private, Limits: noLimits, Upkeep: lightdht.UpkeepConfig{Off: true},
	})
}

// newOther starts anacrolix on c.
func newOther(c *conn) (*dht.Server, error) {
	cfg := dht.NewDefaultServerConfig()
	cfg.NodeId, cfg.Conn, cfg.StartingNodes = bkrpc.ID(ourID), c, func() ([]dht.Addr, error) { return nil, nil }
	cfg.SendLimiter = rate.NewLimiter(rate.Inf, 0)
	return dht.NewServer(cfg)
}

// otherNode is a contact as anacrolix writes it.
func otherNode(c kad.NodeInfo) (node bkrpc.NodeInfo) {
	node.ID = bkrpc.ID(c.ID)
	node.Addr.FromAddrPort(c.Addr)
	return node
}
