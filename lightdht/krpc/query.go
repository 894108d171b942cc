package krpc

import (
	"errors"
	"fmt"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Query is what one node asks another: [Ping], [FindNode], [GetPeers],
// [AnnouncePeer], [Get], [Put], [SampleInfohashes] or, for anything else, [Any].
// The transaction id, the asker's own ID and the like are the sender's to add.
type Query interface {
	// Method is the q of the query.
	Method() string

	// fill sets the fields of the body, or Extra, of a zero body.
	fill(m *Message) error
}

// NewQuery resets m and makes it q. The asker's ID is not set, unless q is an
// [Any] that brings one. After an error, which only Put and Any can give, m is
// zero. What q holds is not copied: m has views of it.
func NewQuery(q Query, m *Message) error {
	*m = Message{}
	if q == nil {
		return errors.New("krpc: no query")
	}
	m.Kind, m.Method = KindQuery, q.Method()
	if err := q.fill(m); err != nil {
		*m = Message{}
		return fmt.Errorf("krpc: query %q: %w", q.Method(), err)
	}
	return nil
}

// Ping asks for the ID of a node (BEP 5).
type Ping struct{}

// FindNode asks for the nodes nearest to Target (BEP 5).
type FindNode struct {
	Target kad.ID
	Want   Want // zero: of the family that carries the query
}

// GetPeers asks for the peers of a torrent, or the nodes nearest to its
// infohash, and for the token that an announce needs (BEP 5).
type GetPeers struct {
	InfoHash kad.ID
	Want     Want
	Scrape   bool // ask for the two filters of BEP 33 too, see Bloom
	NoSeed   bool // seeds need not be among the peers, BEP 33
}

// AnnouncePeer says that the asker has a torrent (BEP 5).
type AnnouncePeer struct {
	InfoHash    kad.ID
	Port        uint16 // where the peer listens; always written
	ImpliedPort bool   // the port that the datagram comes from counts instead
	Token       []byte // from a get_peers reply of the same node; nil leaves it out
	Seed        bool   // the peer has the whole torrent, BEP 33
}

// Get asks for a stored value (BEP 44).
type Get struct {
	Target kad.ID
	Seq    *int64 // a value that is not newer need not be sent
	Want   Want
}

// Put stores a value (BEP 44). An immutable one has Token and Value only; a
// mutable one has PublicKey, Signature and Seq too.
type Put struct {
	Token     []byte // from a get reply of the same node; nil leaves it out
	Value     []byte // bencoded; more than 1000 bytes are answered with error 205
	PublicKey []byte // 32 bytes
	Signature []byte // 64 bytes, of salt, seq and value as BEP 44 says
	Salt      []byte // more than 64 bytes are answered with error 207
	Seq       *int64
	CAS       *int64 // store only if the stored seq is this one
}

// SampleInfohashes asks for some of the infohashes that a node stores and for
// the nodes nearest to Target (BEP 51).
type SampleInfohashes struct {
	Target kad.ID
	Want   Want
}

// Method returns "ping".
func (Ping) Method() string { return MethodPing }

// Method returns "find_node".
func (FindNode) Method() string { return MethodFindNode }

// Method returns "get_peers".
func (GetPeers) Method() string { return MethodGetPeers }

// Method returns "announce_peer".
func (AnnouncePeer) Method() string { return MethodAnnouncePeer }

// Method returns "get".
func (Get) Method() string { return MethodGet }

// Method returns "put".
func (Put) Method() string { return MethodPut }

// Method returns "sample_infohashes".
func (SampleInfohashes) Method() string { return MethodSampleInfohashes }

func (Ping) fill(*Message) error { return nil }

func (q FindNode) fill(m *Message) error {
	m.Target = q.Target
	m.Set(FieldTarget)
	m.setWant(q.Want)
	return nil
}

func (q GetPeers) fill(m *Message) error {
	m.InfoHash, m.Scrape, m.NoSeed = q.InfoHash, q.Scrape, q.NoSeed
	m.Set(FieldInfoHash)
	m.setIf(q.Scrape, FieldScrape)
	m.setIf(q.NoSeed, FieldNoSeed)
	m.setWant(q.Want)
	return nil
}

func (q AnnouncePeer) fill(m *Message) error {
	m.InfoHash, m.Port, m.ImpliedPort = q.InfoHash, q.Port, q.ImpliedPort
	m.Token, m.Seed = q.Token, q.Seed
	m.Set(FieldInfoHash | FieldPort)
	m.setIf(q.ImpliedPort, FieldImpliedPort)
	m.setIf(q.Token != nil, FieldToken)
	m.setIf(q.Seed, FieldSeed)
	return nil
}

func (q Get) fill(m *Message) error {
	m.Target = q.Target
	m.Set(FieldTarget)
	m.setNumber(FieldSeq, &m.Seq, q.Seq)
	m.setWant(q.Want)
	return nil
}

func (q Put) fill(m *Message) error {
	if err := q.check(); err != nil {
		return err
	}
	m.Token, m.Value, m.Salt = q.Token, q.Value, q.Salt
	m.PublicKey, m.Signature = q.PublicKey, q.Signature
	m.Set(FieldValue)
	m.setIf(q.Token != nil, FieldToken)
	m.setIf(q.Salt != nil, FieldSalt)
	m.setIf(q.PublicKey != nil, FieldPublicKey)
	m.setIf(q.Signature != nil, FieldSignature)
	m.setNumber(FieldSeq, &m.Seq, q.Seq)
	m.setNumber(FieldCAS, &m.CAS, q.CAS)
	return nil
}

// check finds what could not be written.
func (q Put) check() error {
	switch {
	case !validInBody(q.Value):
		return errors.New("the value is not bencoded")
	case q.PublicKey != nil && len(q.PublicKey) != publicKeySize:
		return fmt.Errorf("a public key has %d bytes, not %d", publicKeySize, len(q.PublicKey))
	case q.Signature != nil && len(q.Signature) != signatureSize:
		return fmt.Errorf("a signature has %d bytes, not %d", signatureSize, len(q.Signature))
	}
	return nil
}

func (q SampleInfohashes) fill(m *Message) error {
	m.Target = q.Target
	m.Set(FieldTarget)
	m.setWant(q.Want)
	return nil
}

func (m *Message) setIf(present bool, f Fields) {
	if present {
		m.Set(f)
	}
}

func (m *Message) setWant(w Want) {
	m.Want = w
	m.setIf(w != 0, FieldWant)
}

// setNumber sets f to *from, unless from is nil.
func (m *Message) setNumber(f Fields, to, from *int64) {
	if from != nil {
		*to = *from
		m.Set(f)
	}
}
