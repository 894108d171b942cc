package krpc

import (
	"reflect"
	"testing"
)

// scribble overwrites every byte that m can see.
func scribble(m *Message) {
	for _, f := range m.byteFields() {
		for i := range *f {
			(*f)[i] = '#'
		}
	}
}

func TestCloneOfParsed(t *testing.T) {
	check := func(name, wire string) {
		var m, want Message
		err := Parse([]byte(wire), &m)
		Parse([]byte(wire), &want)
		c := m.Clone()
		scribble(&m)
		if !reflect.DeepEqual(c, want) {
			t.Errorf("%s (%v): the clone is\n%+v, want\n%+v", name, err, c, want)
		}
	}
	for _, v := range vectors {
		check(v.name, v.wire)
	}
	for _, a := range anomalous {
		check(a.name, a.wire)
	}
	check("a bad datagram", "d1:t2:aa")
}

// The clone's fields are views of its own Raw: one buffer, not two.
func TestCloneSharesOneBuffer(t *testing.T) {
	wire := Append(nil, bigReply())
	var m Message
	if err := Parse(wire, &m); err != nil {
		t.Fatal(err)
	}
	c := m.Clone()
	for i := range c.Raw {
		c.Raw[i] = 0
	}
	if c.Nodes[0] != 0 || c.Values[0] != 0 || c.TID[0] != 0 || c.Body[0] != 0 {
		t.Error("a field has a buffer of its own")
	}
	if n := testing.AllocsPerRun(20, func() { sinkMessage = m.Clone() }); n > 2 {
		t.Errorf("%v allocations", n)
	}
}

var sinkMessage Message

func TestCloneOfBuilt(t *testing.T) {
	for _, v := range vectors {
		m := v.want
		m.Extra = []byte("d1:xi1ee")
		deep := func(b []byte) []byte {
			if b == nil {
				return nil
			}
			return append([]byte{}, b...)
		}
		want := m
		for i, f := range want.byteFields() {
			*f = deep(*f)
			*m.byteFields()[i] = deep(*f)
		}
		c := m.Clone()
		scribble(&m)
		if !reflect.DeepEqual(c, want) {
			t.Errorf("%s: the clone is\n%+v, want\n%+v", v.name, c, want)
		}
	}
}

// A parsed message that was changed afterwards is cloned as it is now.
func TestCloneOfChanged(t *testing.T) {
	var m Message
	if err := Parse([]byte(findNodeWire), &m); err != nil {
		t.Fatal(err)
	}
	tid, token := []byte("new"), []byte("tok")
	m.TID, m.Token, m.Version, m.ID, m.Extra = tid, token, nil, idM, []byte{}
	m.Set(FieldToken)
	c := m.Clone()
	copy(tid, "###")
	copy(token, "###")
	if string(c.TID) != "new" || string(c.Token) != "tok" || c.Version != nil || c.ID != idM || c.Extra == nil || !c.Has(FieldToken) {
		t.Errorf("%+v", c)
	}
	_ = append(c.TID, "overflow"...)
	if string(c.Token) != "tok" {
		t.Error("appending to one field of a clone changed another")
	}
}
