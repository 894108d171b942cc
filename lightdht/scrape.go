package lightdht

import (
	"context"
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// maxScraped is how many peers a filter may hold, BEP 33.
const maxScraped = 6000

// ScrapePeers is GetPeers that asks for the filters of BEP 33 too: how many seeds
// and other peers addr knows (see krpc.Message.Filters). There are none when it
// knows nobody, or not the BEP.
func (n *Node) ScrapePeers(ctx context.Context, addr netip.AddrPort, infohash kad.ID) (krpc.Reply, error) {
	return n.Do(ctx, addr, krpc.GetPeers{InfoHash: infohash, Want: n.want(), Scrape: true})
}

// ScrapeResult is what the nodes closest to an infohash say about the size of its
// swarm (BEP 33). Addresses are counted: peers that share one are one, a peer of
// both families is two, and so is one that had the whole torrent by the time it
// told another node.
//
// The standard errors are those of the counting, see krpc.Bloom.StdErr. They do
// not cover what the nodes do not know: peers that announced elsewhere, and peers
// that left within the half hour or so that they are remembered.
type ScrapeResult struct {
	Seeds, SeedsErr float64 // how many have the whole torrent, and the standard error
	Peers, PeersErr float64 // how many others there are, and the standard error

	SeedFilter, PeerFilter krpc.Bloom // what these are the estimates of

	Nodes    int // of the closest nodes: gave a filter that counts
	Legacy   int // gave peers alone, which count as no seeds unless another node says so
	Overfull int // gave a filter of more peers than BEP 33 allows, which counts for nothing
	Lookup   *LookupResult
}

// Scrape looks up how large the swarm of infohash is: it unites the filters of
// the closest nodes of each family. On an error the result holds what was found
// until then.
func (n *Node) Scrape(ctx context.Context, infohash kad.ID) (*ScrapeResult, error) {
	res, err := n.find(ctx, infohash, LookupConfig{Scrape: true})
	return res.Scrape(), err
}

// Scrape returns what a lookup with LookupConfig.Scrape tells of the swarm of its
// target.
func (r *LookupResult) Scrape() *ScrapeResult {
	s := &ScrapeResult{Lookup: r}
	var legacy []*krpc.Reply
	for _, a := range r.Closest {
		if a.Reply == nil { // not from a lookup
			continue
		}
		switch seeds, peers := a.Reply.Filters(); {
		case seeds != nil || peers != nil:
			s.unite(seeds, peers)
		case a.Reply.Values.Len() > 0:
			legacy = append(legacy, a.Reply)
		}
	}
	s.addLegacy(legacy)
	s.Seeds, s.SeedsErr = s.SeedFilter.Size(), s.SeedFilter.StdErr()
	s.Peers, s.PeersErr = s.PeerFilter.Size(), s.PeerFilter.StdErr()
	return s
}

// unite takes in the filters of a node. One of them alone will do.
func (s *ScrapeResult) unite(seeds, peers *krpc.Bloom) {
	if overfull(seeds) || overfull(peers) {
		s.Overfull++
		return
	}
	s.Nodes++
	if seeds != nil {
		s.SeedFilter.Union(seeds)
	}
	if peers != nil {
		s.PeerFilter.Union(peers)
	}
}

// overfull reports whether a filter says nothing any more, or would drown all
// others.
func overfull(b *krpc.Bloom) bool { return b != nil && b.Size() > maxScraped }

// addLegacy takes in the peers of replies that have no filters, once all seeds
// are known, but for addresses where nobody can be.
func (s *ScrapeResult) addLegacy(replies []*krpc.Reply) {
	s.Legacy = len(replies)
	told := map[netip.AddrPort]bool{}
	for _, addr := range s.Lookup.Peers {
		told[addr] = true
	}
	for _, reply := range replies {
		for addr := range reply.Values.All() {
			if told[addr] && !s.SeedFilter.Has(addr.Addr()) {
				s.PeerFilter.Insert(addr.Addr())
			}
		}
	}
}

// filterSize is what two filters take in an answer.
const filterSize = 2 * (len("4:BFsd") + len("256:") + len(krpc.Bloom{}))

// addFilters puts the filters of infohash into the answer, unless nobody is known
// or there is no room.
func (e *endpoint) addFilters(infohash kad.ID, now time.Time) {
	a := &e.ans
	if a.room() < filterSize || !e.peers.filters(now, infohash, &a.seedFilter, &a.peerFilter) {
		return
	}
	a.msg.SeedFilter, a.msg.PeerFilter = a.seedFilter[:], a.peerFilter[:]
	a.msg.Fields |= krpc.FieldSeedFilter | krpc.FieldPeerFilter
}
