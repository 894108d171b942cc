package pseudonym

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// digester is HMAC-SHA256 under one key, for many goroutines. The states that it
// keeps have taken in the key already.
type digester struct {
	states sync.Pool // of *digest
}

// digest is a state and the memory that its interface would make escape.
type digest struct {
	mac     hash.Hash
	message []byte
	sum     [sha256.Size]byte
}

func newDigester(key [secretSize]byte) *digester {
	d := &digester{}
	d.states.New = func() any { return &digest{mac: hmac.New(sha256.New, key[:])} }
	return d
}

func (d *digester) sum(message []byte) [sha256.Size]byte {
	s := d.states.Get().(*digest)
	defer d.states.Put(s)
	s.message = append(s.message[:0], message...)
	s.mac.Reset()
	s.mac.Write(s.message)
	s.mac.Sum(s.sum[:0])
	return s.sum
}
