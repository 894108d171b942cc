package pseudonym

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
)

// makeKey ends every complaint about a key.
const makeKey = "make one with: openssl rand -hex 32 > FILE"

// fewBytes is how many different bytes a key must have. Of 32 random bytes, fewer
// are different once in 10^30 times; of typed keys, more often.
const fewBytes = 8

// ParseKey reads the content of a key file: 64 hex digits, with white space around
// them or none, or at least 32 bytes as they are, a line end among them. The
// digits and the bytes that they stand for are the same key. The error says how to
// make a key, and nothing of what was read.
func ParseKey(b []byte) (*Key, error) {
	secret, err := parseSecret(b)
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, makeKey)
	}
	return newKey(secret), nil
}

func parseSecret(b []byte) ([]byte, error) {
	digits := bytes.TrimSpace(b)
	if len(digits) == 0 {
		return nil, errors.New("the key is empty")
	}
	secret := b
	if isHex(digits) { // random bytes are not, so this is hex that was meant as such
		if len(digits) != 2*secretSize {
			return nil, fmt.Errorf("a key in hex has %d digits, not %d", 2*secretSize, len(digits))
		}
		secret = make([]byte, secretSize)
		hex.Decode(secret, digits)
	}
	if len(secret) < secretSize {
		return nil, fmt.Errorf("a key has 64 hex digits or at least %d bytes, not %d bytes", secretSize, len(secret))
	}
	if n := variety(secret); n < fewBytes {
		return nil, fmt.Errorf("a key is random, not of %d different bytes", n)
	}
	return secret, nil
}

func isHex(b []byte) bool {
	return len(bytes.Trim(b, "0123456789abcdefABCDEF")) == 0
}

// variety is how many different bytes are in b.
func variety(b []byte) (n int) {
	var seen [256]bool
	for _, c := range b {
		if !seen[c] {
			seen[c] = true
			n++
		}
	}
	return n
}
