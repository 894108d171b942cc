package krpc

import (
	"fmt"

	"github.com/zeebo/bencode"
)

// Lookup returns the bencoded value of a key of the body, for keys that have
// no field; of duplicates, the first. It is a view; see Decode. A message that
// was not parsed has no Body and no keys.
func (m *Message) Lookup(key string) (raw []byte, ok bool) { return lookup(m.Body, key) }

// TopLevel is Lookup in the top dictionary.
func (m *Message) TopLevel(key string) (raw []byte, ok bool) { return lookup(m.Raw, key) }

// lookup finds key in a bencoded dictionary, which need not be valid.
func lookup(dict []byte, key string) (raw []byte, ok bool) {
	c := cursor{b: dict}
	if c.peek() != 'd' {
		return nil, false
	}
	for c.open(); c.more(); {
		found := string(c.str()) == key
		raw := c.raw()
		if found && raw != nil {
			return raw, true
		}
	}
	return nil, false
}

// Decode reads one bencoded value into v, as github.com/zeebo/bencode does:
// into a struct with bencode tags, a map, a slice, a string, an integer, or an
// *any, which becomes an int64, a string, a []any or a map[string]any. Bytes
// go into a []byte or a string; a kad.ID would take 40 hex digits.
//
// Unlike that package it holds raw to the rules of Parse before it reads it.
// An integer beyond the range of an unsigned v is still cut: use an int64.
func Decode(raw []byte, v any) (err error) {
	c := cursor{b: raw}
	c.skip()
	c.finish()
	if err := c.err(); err != nil {
		return err
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("krpc: decode into %T: %v", v, r)
		}
	}()
	if err := bencode.DecodeBytes(raw, v); err != nil {
		return fmt.Errorf("krpc: decode into %T: %w", v, err)
	}
	return nil
}
