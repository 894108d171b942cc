package krpc

import (
	"iter"
	"net/netip"
	"slices"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Reply is the answer to a query of ours. Its Message owns its bytes.
type Reply struct {
	Message

	From     netip.AddrPort // who answered, unmapped
	RTT      time.Duration  // from sending the query to reading the answer
	Named    bool           // the query was meant for one ID, not for whoever is there
	Expected kad.ID         // that ID
}

// Unexpected reports whether another ID answered than the one asked. A reply
// without an id names nobody, so it is not unexpected.
func (r *Reply) Unexpected() bool {
	return r.Named && r.Has(FieldID) && r.ID != r.Expected
}

// NodeInfos returns the nodes of m, those of IPv4 first, in a new slice.
func (m *Message) NodeInfos() []kad.NodeInfo {
	infos := make([]kad.NodeInfo, 0, m.Nodes.Len()+m.Nodes6.Len())
	infos = slices.AppendSeq(infos, m.Nodes.All())
	return slices.AppendSeq(infos, m.Nodes6.All())
}

// PeerAddrs returns the well-formed peers of m in a new slice.
func (m *Message) PeerAddrs() []netip.AddrPort {
	addrs := make([]netip.AddrPort, 0, m.Values.Len())
	return slices.AppendSeq(addrs, m.Values.All())
}

// Infohashes yields the samples of m in their order (BEP 51).
func (m *Message) Infohashes() iter.Seq[kad.ID] {
	return func(yield func(kad.ID) bool) {
		for b := m.Samples; len(b) >= kad.Size; b = b[kad.Size:] {
			if !yield(kad.ID(b[:kad.Size])) {
				return
			}
		}
	}
}
