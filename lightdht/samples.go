package lightdht

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// What libtorrent tells by default; 6 hours are the most that BEP 51 allows.
const (
	sampleInterval = 6 * time.Hour
	sampleSize     = 20 // infohashes in an answer
)

// SampleInfohashes asks addr for infohashes that it stores peers of, at most as
// many as fit, and for the nodes nearest to target (BEP 51): see
// krpc.Message.Infohashes, Num for how many it has, and Interval for how many
// seconds later it may have others. A reply without FieldSamples is from a node
// that does not know the query.
func (n *Node) SampleInfohashes(ctx context.Context, addr netip.AddrPort, target kad.ID) (krpc.Reply, error) {
	return n.Do(ctx, addr, krpc.SampleInfohashes{Target: target, Want: n.want()})
}

// answerSamples tells a sample of our infohashes. It has its place before the
// nodes have theirs.
func (n *Node) answerSamples(e *endpoint, m *krpc.Message, now time.Time) {
	if !m.Has(krpc.FieldTarget) {
		e.ans.refuse(krpc.CodeProtocol, "target of 20 bytes missing")
		return
	}
	a := &e.ans
	var num int
	a.samples, num = e.peers.appendInfohashes(a.samples[:0], now)
	a.msg.Samples, a.msg.Num, a.msg.Interval = a.samples, int64(num), int64(sampleInterval/time.Second)
	a.msg.Fields |= krpc.FieldSamples | krpc.FieldNum | krpc.FieldInterval
	own, other := n.wanted(e, m.Want)
	n.addNodes(a, own, m.Target, now)
	n.addNodes(a, other, m.Target, now)
}

// drawnSample is the infohashes that everybody is told for an interval. The
// store's lock guards it.
type drawnSample struct {
	at  time.Time
	ids []kad.ID
}

// appendInfohashes appends the sample of the infohashes, and returns how many
// there are in all. A full sample stays the same for an interval, whatever comes
// and goes, so that asking again is of no use; one that is not is drawn anew.
func (p *peerStore) appendInfohashes(dst []byte, now time.Time) (samples []byte, num int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := &p.drawn
	if len(d.ids) < sampleSize || now.Sub(d.at) >= sampleInterval {
		p.draw(now)
	}
	for i := range d.ids {
		dst = append(dst, d.ids[i][:]...)
	}
	return dst, len(p.swarms)
}

// draw draws a sample in which each infohash is as likely as any other to be:
// reservoir sampling.
func (p *peerStore) draw(now time.Time) {
	ids, seen := p.drawn.ids[:0], 0
	for infohash := range p.swarms {
		if seen++; len(ids) < sampleSize {
			ids = append(ids, infohash)
		} else if i := rand.IntN(seen); i < sampleSize {
			ids[i] = infohash
		}
	}
	p.drawn = drawnSample{now, ids}
}
