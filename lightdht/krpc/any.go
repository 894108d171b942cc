package krpc

import (
	"errors"
	"fmt"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/zeebo/bencode"
)

// Any is a query of any name with the caller's own arguments, for methods that
// have no type here and for known ones with other arguments.
//
// Args is a map[string]any or a struct with bencode tags, as
// github.com/zeebo/bencode encodes them; nil stands for no arguments. Strings
// and []byte become strings, integers and bools integers. A kad.ID in a
// map[string]any or in a []any becomes its 20 bytes. Elsewhere, in a struct for
// instance, it would become 40 hex digits: use a []byte there.
//
// Args may bring its own "id" of 20 bytes, which then is the asker's.
type Any struct {
	Name string
	Args any
}

// Method returns Name.
func (q Any) Method() string { return q.Name }

func (q Any) fill(m *Message) error {
	if q.Name == "" {
		return errors.New("no name")
	}
	if q.Args == nil {
		return nil
	}
	raw, err := encode(q.Args)
	if err != nil {
		return err
	}
	if !validExtra(raw) {
		return fmt.Errorf("arguments of type %T do not encode as one dictionary with sorted keys", q.Args)
	}
	m.Extra = raw
	return m.takeID()
}

// takeID moves an id from Extra into the field, which knows its length.
func (m *Message) takeID() error {
	raw, ok := lookup(m.Extra, "id")
	if !ok {
		return nil
	}
	c := cursor{b: raw}
	id, ok := kad.IDFromBytes(c.str())
	if !ok {
		return fmt.Errorf("the argument id is not a string of %d bytes", kad.Size)
	}
	m.ID = id
	m.Set(FieldID)
	return nil
}

// encode is bencode.EncodeBytes, whose panics on odd types become errors.
func encode(v any) (raw []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return bencode.EncodeBytes(v)
}
