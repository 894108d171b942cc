package lightdht

import (
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht/krpc"
)

// posting is what is to be counted of an answer once it is written.
type posting struct {
	at     time.Time // when the query's turn came
	to     netip.AddrPort
	method string
	size   int
	kind   krpc.Kind
}

// post keeps an answer to be written together with others, if e can; what becomes
// of it is counted then.
func (e *endpoint) post(b []byte, a posting) bool {
	if e.udp == nil || !e.udp.post(b, a.to) {
		return false
	}
	e.posted = append(e.posted, a)
	return true
}

// postedPatience is after how long answers are written before the next packet is
// worked on, when a hook or a Recorder is slow.
const postedPatience = time.Millisecond

// flush writes the answers that were kept, when the last of the packets that had
// arrived with theirs has been worked on.
func (n *Node) flush(e *endpoint) {
	if e.udp != nil && !e.udp.awaits() {
		n.write(e)
	}
}

// flushLate writes them when that takes too long.
func (n *Node) flushLate(e *endpoint, now time.Time) {
	if len(e.posted) > 0 && now.Sub(e.posted[0].at) > postedPatience {
		n.write(e)
	}
}

// write writes the answers that were kept.
func (n *Node) write(e *endpoint) {
	if len(e.posted) == 0 {
		return
	}
	e.udp.flush(func(i int, err error) {
		a := &e.posted[i]
		n.sent(a.to, a.size, err)
		n.responded(a, err)
	})
	e.posted = e.posted[:0]
}

// responded counts an answer that was written, or not.
func (n *Node) responded(a *posting, err error) {
	if err != nil {
		n.notSent(a.to, a.method, err)
		n.cfg.Logger.Debug("answer", "to", a.to, "err", err)
		return
	}
	n.count.add(RepliesOut, 1)
	if a.kind == krpc.KindError {
		n.count.add(ErrorsOut, 1)
	}
}
