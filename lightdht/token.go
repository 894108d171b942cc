package lightdht

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"hash"
	"net/netip"
	"sync"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

const (
	tokenSize     = 8               // bytes of the MAC that a token keeps
	tokenLifetime = 5 * time.Minute // between two secrets; the last one stays good for as long again
)

// tokens makes and checks the tokens of BEP 5: who may announce a peer for an
// infohash is who was just seen to receive packets at its IP address. A token is
// a MAC over that address without its port and the infohash, so nothing
// needs to be remembered for it.
type tokens struct {
	mu      sync.Mutex
	current hash.Hash           // HMAC-SHA-256 under the secret of this period
	last    hash.Hash           // and of the one before
	changed time.Time           // when the period began
	input   [16 + kad.Size]byte // room to work in: what is handed to a hash escapes to the heap
	sum     [sha256.Size]byte
}

func newSecret() hash.Hash {
	var key [32]byte
	rand.Read(key[:])
	return hmac.New(sha256.New, key[:])
}

func newTokens(now time.Time) *tokens {
	return &tokens{current: newSecret(), last: newSecret(), changed: now}
}

// append appends the token for ip and infohash at the time now to dst.
func (t *tokens) append(dst []byte, now time.Time, ip netip.Addr, infohash kad.ID) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rotate(now)
	return append(dst, t.mac(t.current, ip, infohash)...)
}

// valid reports whether token was made for the same in this period or the last.
func (t *tokens) valid(token []byte, now time.Time, ip netip.Addr, infohash kad.ID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rotate(now)
	ok := subtle.ConstantTimeCompare(token, t.mac(t.current, ip, infohash))
	return ok|subtle.ConstantTimeCompare(token, t.mac(t.last, ip, infohash)) == 1
}

// rotate brings the secrets up to date.
func (t *tokens) rotate(now time.Time) {
	periods := now.Sub(t.changed) / tokenLifetime
	if periods <= 0 {
		return
	}
	t.last = t.current
	if periods > 1 {
		t.last = newSecret()
	}
	t.current = newSecret()
	t.changed = t.changed.Add(periods * tokenLifetime)
}

// mac returns a view that holds until the next call.
func (t *tokens) mac(h hash.Hash, ip netip.Addr, infohash kad.ID) []byte {
	h.Reset()
	addr := ip.As16() // one length for both families: nothing can be shifted between the parts
	copy(t.input[:], addr[:])
	copy(t.input[16:], infohash[:])
	h.Write(t.input[:])
	return h.Sum(t.sum[:0])[:tokenSize]
}
