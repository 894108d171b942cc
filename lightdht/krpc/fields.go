package krpc

import "math/bits"

// Fields is a set of keys of the body. A bit stands for one key; bits are in
// the byte order of the keys, which is the order on the wire.
type Fields uint32

// One bit for each key of a or r that has a field in Message.
const (
	FieldPeerFilter  Fields = 1 << iota // BFpe
	FieldSeedFilter                     // BFsd
	FieldCAS                            // cas
	FieldID                             // id
	FieldImpliedPort                    // implied_port
	FieldInfoHash                       // info_hash
	FieldInterval                       // interval
	FieldPublicKey                      // k
	FieldNodes                          // nodes
	FieldNodes6                         // nodes6
	FieldNoSeed                         // noseed
	FieldNum                            // num
	FieldReplyPort                      // p
	FieldPort                           // port
	FieldSalt                           // salt
	FieldSamples                        // samples
	FieldScrape                         // scrape
	FieldSeed                           // seed
	FieldSeq                            // seq
	FieldSignature                      // sig
	FieldTarget                         // target
	FieldToken                          // token
	FieldValue                          // v
	FieldValues                         // values
	FieldWant                           // want

	allFields = 1<<iota - 1
)

// fieldKeys holds the key of each field at the position of its bit.
var fieldKeys = [...]string{
	"BFpe", "BFsd", "cas", "id", "implied_port", "info_hash", "interval", "k", "nodes", "nodes6", "noseed", "num",
	"p", "port", "salt", "samples", "scrape", "seed", "seq", "sig", "target", "token", "v", "values", "want",
}

// wireKeys is fieldKeys in bencode: "2:id".
var wireKeys = func() (keys [len(fieldKeys)]string) {
	for i, key := range fieldKeys {
		keys[i] = string(appendString(nil, key))
	}
	return keys
}()

// lowest returns the field of f that comes first on the wire.
func (f Fields) lowest() Fields { return f & -f }

// index returns the position of the bit of a single field.
func (f Fields) index() int { return bits.TrailingZeros32(uint32(f)) }

// key returns the wire name of a single field.
func (f Fields) key() string { return fieldKeys[f.index()] }

// Has reports whether every field of f is present in m.
func (m *Message) Has(f Fields) bool { return m.Fields&f == f }

// Set marks the fields of f as present, so that Append writes them.
func (m *Message) Set(f Fields) { m.Fields |= f }

// fieldOf is the inverse of key; it returns 0 for a key without a field. It is
// a switch because the compiler turns it into a search that allocates nothing.
func fieldOf(key []byte) Fields {
	switch string(key) {
	case "id":
		return FieldID
	case "target":
		return FieldTarget
	case "info_hash":
		return FieldInfoHash
	case "want":
		return FieldWant
	case "nodes":
		return FieldNodes
	case "nodes6":
		return FieldNodes6
	case "token":
		return FieldToken
	case "values":
		return FieldValues
	case "p":
		return FieldReplyPort
	case "port":
		return FieldPort
	case "implied_port":
		return FieldImpliedPort
	default:
		return extensionFieldOf(key)
	}
}

// extensionFieldOf is fieldOf for the keys of BEPs 33, 44 and 51.
func extensionFieldOf(key []byte) Fields {
	switch string(key) {
	case "seed":
		return FieldSeed
	case "noseed":
		return FieldNoSeed
	case "scrape":
		return FieldScrape
	case "BFsd":
		return FieldSeedFilter
	case "BFpe":
		return FieldPeerFilter
	case "v":
		return FieldValue
	case "k":
		return FieldPublicKey
	case "sig":
		return FieldSignature
	case "salt":
		return FieldSalt
	case "seq":
		return FieldSeq
	case "cas":
		return FieldCAS
	case "interval":
		return FieldInterval
	case "num":
		return FieldNum
	case "samples":
		return FieldSamples
	}
	return 0
}

// Want is the set of families whose nodes a query asks for, BEP 32. The zero
// Want asks for those of the family that carries the query.
type Want uint8

// The two words of a want list. Others are ignored.
const (
	WantIPv4 Want = 1 << iota // n4: nodes
	WantIPv6                  // n6: nodes6
)

// The lengths in bytes that fields of fixed size have on the wire.
const (
	filterSize    = 256
	publicKeySize = 32
	signatureSize = 64
)
