package lightdht

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// peerStore keeps the peers of one family that were announced to us, for ttl, at
// most maxPeers for an infohash and for at most maxHashes of them.
type peerStore struct {
	ttl                 time.Duration
	maxPeers, maxHashes int

	mu     sync.Mutex
	swarms map[kad.ID]*swarm
	drawn  drawnSample // of their infohashes
}

// swarm is the peers of one infohash: a slice to draw from and where each
// stands in it.
type swarm struct {
	peers []storedPeer
	at    map[netip.AddrPort]int
}

type storedPeer struct {
	addr    netip.AddrPort
	expires time.Time
	key     krpc.BloomKey // of addr, hashed once
	seed    bool          // by its last announcement, BEP 33
}

func newPeerStore(c Config) *peerStore {
	return &peerStore{ttl: c.PeerTTL, maxPeers: c.MaxPeers, maxHashes: c.MaxInfohashes, swarms: map[kad.ID]*swarm{}}
}

// add keeps addr for infohash until ttl after now, as a seed or not. It reports whether it does
// (false: there are too many infohashes), and whether the oldest of a full swarm
// made room for it.
func (p *peerStore) add(now time.Time, infohash kad.ID, addr netip.AddrPort, seed bool) (kept, displaced bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.swarms[infohash]
	if s == nil {
		if len(p.swarms) >= p.maxHashes {
			return false, false
		}
		s = &swarm{at: map[netip.AddrPort]int{}}
		p.swarms[infohash] = s
	}
	peer := storedPeer{addr: addr, expires: now.Add(p.ttl), key: krpc.BloomKeyOf(addr.Addr()), seed: seed}
	return true, s.add(peer, now, p.maxPeers)
}

func (s *swarm) add(peer storedPeer, now time.Time, limit int) (displaced bool) {
	if i, ok := s.at[peer.addr]; ok {
		s.peers[i] = peer
		return false
	}
	if len(s.peers) >= limit {
		s.expire(now)
	}
	if len(s.peers) >= limit {
		s.remove(s.oldest())
		displaced = true
	}
	s.at[peer.addr] = len(s.peers)
	s.peers = append(s.peers, peer)
	return displaced
}

func (s *swarm) oldest() int {
	oldest := 0
	for i, peer := range s.peers {
		if peer.expires.Before(s.peers[oldest].expires) {
			oldest = i
		}
	}
	return oldest
}

// remove takes out peer i; the last one takes its place.
func (s *swarm) remove(i int) {
	last := len(s.peers) - 1
	delete(s.at, s.peers[i].addr)
	if i != last {
		s.peers[i] = s.peers[last]
		s.at[s.peers[i].addr] = i
	}
	s.peers = s.peers[:last]
}

func (s *swarm) expire(now time.Time) {
	for i := len(s.peers) - 1; i >= 0; i-- {
		if !s.peers[i].expires.After(now) {
			s.remove(i)
		}
	}
}

// sample calls yield with live peers of infohash, in random order, until it
// returns false or there are no more; noSeed leaves seeds out. yield runs under
// the store's lock.
func (p *peerStore) sample(now time.Time, infohash kad.ID, noSeed bool, yield func(netip.AddrPort) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.swarms[infohash]
	if s == nil {
		return
	}
	for n := len(s.peers); n > 0; n-- { // Fisher-Yates, as far as it is asked for
		i := rand.IntN(n)
		s.swap(i, n-1)
		peer := s.peers[n-1]
		if peer.expires.After(now) && !(noSeed && peer.seed) && !yield(peer.addr) {
			return
		}
	}
}

// filters makes the two filters those of the live peers of infohash (BEP 33), and
// reports whether there are any.
func (p *peerStore) filters(now time.Time, infohash kad.ID, seeds, others *krpc.Bloom) (known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*seeds, *others = krpc.Bloom{}, krpc.Bloom{}
	s := p.swarms[infohash]
	if s == nil {
		return false
	}
	for i := range s.peers {
		peer := &s.peers[i]
		switch {
		case !peer.expires.After(now):
			continue
		case peer.seed:
			seeds.InsertKey(peer.key)
		default:
			others.InsertKey(peer.key)
		}
		known = true
	}
	return known
}

func (s *swarm) swap(i, j int) {
	s.peers[i], s.peers[j] = s.peers[j], s.peers[i]
	s.at[s.peers[i].addr], s.at[s.peers[j].addr] = i, j
}

// sweep forgets what has expired.
func (p *peerStore) sweep(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for infohash, s := range p.swarms {
		if s.expire(now); len(s.peers) == 0 {
			delete(p.swarms, infohash)
		}
	}
}
