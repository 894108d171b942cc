// Package pseudonym makes stand-ins for what must not leave the house when data
// is shared: addresses, IDs, infohashes, tokens. All come from one secret [Key],
// so that the same thing has the same stand-in in every file made under it, and
// under another key an unrelated one.
//
//	key, err := pseudonym.ParseKey(content)    // of a file from: openssl rand -hex 32
//	addr = key.Addr(addr)                      // prefixes stay prefixes
//	id = key.ID(id)                            // zones stay zones
//	hash = key.Hash(hash)                      // nothing stays but sameness
//	text := key.Text(token)                    // the same, of short strings
//	manifest.Key = key.Fingerprint()           // which key it was
//
// What stays, so that the data can still be worked with:
//
//   - Two addresses share as many leading bits as their stand-ins do, IPv4 and
//     IPv6 each for itself: networks stay networks. This is Crypto-PAn (Xu, Fan,
//     Ammar, Moon: Prefix-Preserving IP Address Anonymization, ICNP 2002) after
//     another permutation of its kind, which mends a weakness of it.
//   - Two IDs share as many leading bits as their stand-ins do: zones, buckets and
//     the size of a distance to within a factor of two stay. Which of two IDs is
//     nearer to a third stays when they share prefixes of different lengths with
//     it, and is drawn anew when they do not: the XOR order is kept as far as the
//     lengths of common prefixes go, and no further. True distances beside
//     stand-ins would give IDs away, and distances between stand-ins mean no more
//     than their leading zeros.
//   - That a node's ID is bound to its address (BEP 42) is no longer to be seen in
//     either, and that is what the IDs are permuted for: left as they are, they
//     would give back 20 of the 32 bits of an IPv4 address.
//
// # Limits
//
// These are stand-ins, not anonymity. Data under them is for people who agree not
// to look behind them.
//
//   - Whoever has nodes of his own in the data, and finds them there, knows what
//     stands for the prefixes of their addresses and IDs, and so for those of all
//     their neighbours, to the bit in which they part. With n nodes spread over
//     the space he reads about the first log2(n)+1 bits of every ID, and BEP 42
//     then shortens a list of the addresses it may have to about 6/n of it.
//   - Whoever has data of his own on the same network at the same time need not
//     put nodes there: the shapes of two trees can be laid over each other.
//   - Times, client versions, ports, round-trip times and counts of queries stay
//     what they are, and can name a node all the same.
//   - A stand-in is an address or an ID like any other, and often somebody else's:
//     it is not to be contacted, nor to be looked up in a list of networks.
//   - The key undoes all of it: it is never shared with the data. A key that
//     serves for one data set alone keeps two data sets from being joined.
package pseudonym

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// secretSize is the length of a key that is made as ParseKey advises, and of the
// keys that are derived from one, in bytes.
const secretSize = 32

// Key is a secret and what it was expanded into. Its methods may be called from
// many goroutines. There is no zero Key: [ParseKey] makes one.
type Key struct {
	four, six addrPermutation
	ids       *tree
	hash      *digester
	text      *digester

	fingerprint string
}

// newKey derives a key for each purpose, so that what is found out about one of
// them says nothing about the others. The names are part of the result: they
// never change.
func newKey(secret []byte) *Key {
	name := derive(secret, "fingerprint")
	return &Key{
		four:        newAddrPermutation(derive(secret, "IPv4 tree"), derive(secret, "IPv4 Crypto-PAn")),
		six:         newAddrPermutation(derive(secret, "IPv6 tree"), derive(secret, "IPv6 Crypto-PAn")),
		ids:         newTree(derive(secret, "IDs")),
		hash:        newDigester(derive(secret, "hashes")),
		text:        newDigester(derive(secret, "texts")),
		fingerprint: hex.EncodeToString(name[:8]),
	}
}

// derive is HMAC-SHA256 of the purpose's name under the secret.
func derive(secret []byte, purpose string) (sub [secretSize]byte) {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("lightdht pseudonyms 1: " + purpose))
	mac.Sum(sub[:0])
	return sub
}

// Fingerprint returns 16 hex digits that name the key in a manifest and do not
// give it away: they tell data sets of one key from those of another.
func (k *Key) Fingerprint() string { return k.fingerprint }

// ID returns what stands for an ID: a permutation of all IDs that keeps the
// lengths of common prefixes. The zero ID is an ID like any other.
func (k *Key) ID(id kad.ID) kad.ID {
	flips := k.ids.flips(&id, kad.Bits)
	return kad.ID(id.Distance(flips))
}

// Hash returns what stands for an infohash or another name of content. Other than
// [Key.ID] it keeps nothing but sameness: the content of a hash is public, and
// where its neighbours are would lead to it.
func (k *Key) Hash(hash kad.ID) kad.ID {
	sum := k.hash.sum(hash[:])
	return kad.ID(sum[:kad.Size])
}

// Text returns what stands for a token or another short string: 32 hex digits.
func (k *Key) Text(s string) string {
	sum := k.text.sum([]byte(s))
	return hex.EncodeToString(sum[:16])
}
