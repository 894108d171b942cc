package lightdht

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// Ping asks addr who it is (BEP 5): the reply has its ID and the round trip.
func (n *Node) Ping(ctx context.Context, addr netip.AddrPort) (krpc.Reply, error) {
	return n.Do(ctx, addr, krpc.Ping{})
}

// FindNode asks addr for the nodes it knows nearest to target (BEP 5), of both
// families when this node has both (BEP 32).
func (n *Node) FindNode(ctx context.Context, addr netip.AddrPort, target kad.ID) (krpc.Reply, error) {
	return n.Do(ctx, addr, krpc.FindNode{Target: target, Want: n.want()})
}

// GetPeers asks addr for peers of infohash (BEP 5): the reply has peers it
// knows, nodes nearer to the infohash, and the token to announce there with.
func (n *Node) GetPeers(ctx context.Context, addr netip.AddrPort, infohash kad.ID) (krpc.Reply, error) {
	return n.Do(ctx, addr, krpc.GetPeers{InfoHash: infohash, Want: n.want()})
}

// AnnouncePeer tells addr that there is a peer for infohash at port of our
// address (BEP 5); port 0 means the port that this query comes from. token is
// one that addr gave in reply to GetPeers.
func (n *Node) AnnouncePeer(ctx context.Context, addr netip.AddrPort, infohash kad.ID, port uint16, token []byte) (krpc.Reply, error) {
	return n.Do(ctx, addr, n.announcement(infohash, port, token))
}

func (n *Node) announcement(infohash kad.ID, port uint16, token []byte) krpc.AnnouncePeer {
	return krpc.AnnouncePeer{InfoHash: infohash, Port: port, ImpliedPort: port == 0, Token: token}
}

// want is what a query asks for: nothing when we have but one family, which is
// that of the packet.
func (n *Node) want() krpc.Want {
	if len(n.ends) < 2 {
		return 0
	}
	return krpc.WantIPv4 | krpc.WantIPv6
}

const (
	firstPatience = time.Second            // before anybody has answered
	leastPatience = 100 * time.Millisecond // however fast the network is
)

// rttMemory is how many round trips the mean and the deviation go back, about:
// longer than in RFC 6298, because each is another peer's.
const rttMemory = 16

// rttEstimator follows the round trips of all answers as RFC 6298 does for one
// peer, to tell how long a node that will answer usually takes.
type rttEstimator struct {
	mu        sync.Mutex
	mean, dev time.Duration
}

func (r *rttEstimator) add(rtt time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mean == 0 {
		r.mean, r.dev = rtt, rtt/2
		return
	}
	r.dev += (max(r.mean-rtt, rtt-r.mean) - r.dev) / rttMemory
	r.mean += (rtt - r.mean) / rttMemory
}

// patience returns how long to count on an answer before asking elsewhere, at
// most limit.
func (r *rttEstimator) patience(limit time.Duration) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mean == 0 {
		return min(firstPatience, limit)
	}
	return min(max(r.mean+4*r.dev, leastPatience), limit)
}
