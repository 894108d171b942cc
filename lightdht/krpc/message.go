// Package krpc is the wire format of the mainline DHT: one bencoded dictionary
// in one UDP datagram (BEP 5), with every key of BEPs 5, 32, 33, 42, 43, 44 and
// 51 in a typed field.
//
// Two pure functions do the work: [Parse] reads a datagram into a [Message]
// whose byte fields are views of it, and [Append] writes a Message in canonical
// form. Neither allocates. Both are strict where a mistake could cost something
// and lenient where real clients are sloppy:
//
//	d 1:a d … e 1:q 4:ping 1:t 4:.... 1:v 4:.... 1:y 1:q e      query
//	d 2:ip 6:… 1:r d 2:id 20:… 5:nodes … e 1:t … 1:y 1:r e      reply
//	d 1:e l i201e 13:generic error e 1:t … 1:y 1:e e            error
//
// What is no single well-formed bencoded dictionary is an error: lengths beyond
// the datagram, depth over 32, integers or lengths with leading zeros, trailing
// bytes. What is well-formed but wrong (a missing t, unsorted keys, a node list
// with a torn tail, a port of 70000) leaves the field unset or keeps the part
// that is good, and is told in [Message.Anomalies].
//
// A [Query] says what to ask; [NewQuery] makes a Message of it, and [Any] is a
// query of any other name. The lists [Nodes], [Nodes6] and [Peers] stay as they
// are on the wire and are read in place:
//
//	for node := range m.Nodes.All() { … }      // a kad.NodeInfo each
//	for addr := range m.Values.All() { … }     // a netip.AddrPort each
//	raw, ok := m.Lookup("x"); Decode(raw, &v)  // a key that has no field
//
// Nothing here checks what a message means: whether its transaction id is ours,
// its addresses can be reached, its token is good or its signature holds.
package krpc

import (
	"net/netip"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Kind tells queries, replies and errors apart: the y key. The zero Kind is a
// message that says nothing about itself.
type Kind byte

// The three kinds of message.
const (
	KindQuery Kind = 'q'
	KindReply Kind = 'r'
	KindError Kind = 'e'
)

// The methods of BEPs 5, 44 and 51. A Message may name any other.
const (
	MethodPing             = "ping"
	MethodFindNode         = "find_node"
	MethodGetPeers         = "get_peers"
	MethodAnnouncePeer     = "announce_peer"
	MethodGet              = "get"
	MethodPut              = "put"
	MethodSampleInfohashes = "sample_infohashes"
)

// Message is a query, a reply or an error.
//
// A parsed Message is a view: its byte fields point into the datagram and are
// valid as long as that is. Clone makes one that stands alone.
//
// A field of the body that is absent on the wire has its zero value; Has tells
// an absent key from one that holds zero. For Append, a field is written when
// it is set in Fields, so a Message is built by the constructors or with Set.
type Message struct {
	Kind    Kind   // y
	Method  string // q of a query; empty in other messages
	TID     []byte // t, the transaction id; any length
	Version []byte // v, the client version: two letters and two bytes by BEP 20; nil when absent

	ReadOnly bool           // ro, BEP 43
	IP       netip.AddrPort // ip of an answer: the asker's address as the sender saw it, unmapped, BEP 42; zero when absent

	Fields Fields // which of the body's keys are present

	// The body: a of a query, r of a reply.
	ID          kad.ID // id, the sender's
	Target      kad.ID // target: find_node, get, sample_infohashes
	InfoHash    kad.ID // info_hash: get_peers, announce_peer
	Want        Want   // want, BEP 32; Has tells an empty list from none
	Port        uint16 // port: announce_peer
	ImpliedPort bool   // implied_port: announce_peer
	Seed        bool   // seed: announce_peer, BEP 33
	NoSeed      bool   // noseed: get_peers, BEP 33
	Scrape      bool   // scrape: get_peers, BEP 33
	ReplyPort   uint16 // p of a reply: the asker's port as libtorrent tells it
	Token       []byte // token: get_peers and get replies, announce_peer, put
	Nodes       Nodes  // nodes, 26 bytes each
	Nodes6      Nodes6 // nodes6, 38 bytes each, BEP 32
	Values      Peers  // values
	SeedFilter  []byte // BFsd, 256 bytes, BEP 33
	PeerFilter  []byte // BFpe, 256 bytes, BEP 33

	// BEP 44. The transport does not check signatures.
	Value     []byte // v: the bencoded value, byte for byte as it was signed
	PublicKey []byte // k, 32 bytes
	Signature []byte // sig, 64 bytes
	Salt      []byte // salt; more than 64 bytes are for the receiver to refuse
	Seq       int64  // seq
	CAS       int64  // cas

	// BEP 51.
	Interval int64  // interval: seconds until the next sample may be asked for
	Num      int64  // num: infohashes in the sender's storage
	Samples  []byte // samples: infohashes, 20 bytes each

	// The e list of an error.
	Code int64  // 201 generic, 202 server, 203 protocol, 204 method unknown, …
	Text []byte // what went wrong, in words

	// Extra is a bencoded dictionary of further keys for the body: the caller's
	// own arguments. Append merges it in key order, unless its keys are not in
	// order themselves; a key that a typed field writes wins. Parse leaves it
	// nil: see Body.
	Extra []byte

	// Body is the dictionary a or r as it stood in the datagram, for keys that
	// have no field (see Lookup). Append ignores it.
	Body []byte

	// Raw is the whole datagram. Append ignores it.
	Raw []byte

	// Anomalies says in which ways the datagram was off.
	Anomalies Anomalies
}

// Topic returns the ID that a query is about: its infohash, or else its target;
// false when it is about none.
func (m *Message) Topic() (id kad.ID, ok bool) {
	switch {
	case m.Has(FieldInfoHash):
		return m.InfoHash, true
	case m.Has(FieldTarget):
		return m.Target, true
	}
	return kad.ID{}, false
}
