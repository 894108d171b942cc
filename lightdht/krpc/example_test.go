package krpc_test

import (
	"fmt"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// A reply is read, and another one with the same nodes is written.
func Example() {
	datagram := []byte("d1:rd2:id20:mnopqrstuvwxyz1234565:nodes29:abcdefghij0123456789\xc0\x00\x02\x01\x1a\xe1...e1:t2:aa1:y1:re")

	var m krpc.Message
	if err := krpc.Parse(datagram, &m); err != nil {
		fmt.Println(err)
		return
	}
	for node := range m.Nodes.All() {
		fmt.Println(node.Addr)
	}
	fmt.Println("anomalies:", m.Anomalies)

	answer := krpc.Message{Kind: krpc.KindReply, TID: []byte("bb"), ID: kad.ID([]byte("abcdefghij0123456789")), Nodes: m.Nodes}
	answer.Set(krpc.FieldID | krpc.FieldNodes)
	fmt.Printf("%q\n", krpc.Append(nil, &answer))
	// Output:
	// 192.0.2.1:6881
	// anomalies: torn-nodes
	// "d1:rd2:id20:abcdefghij01234567895:nodes26:abcdefghij0123456789\xc0\x00\x02\x01\x1a\xe1e1:t2:bb1:y1:re"
}

// A method that has no type here, and an answer with a key that has no field.
func ExampleAny() {
	query := krpc.Any{Name: "vote", Args: map[string]any{"target": kad.ID([]byte("mnopqrstuvwxyz123456")), "vote": 1}}

	var m krpc.Message
	if err := krpc.NewQuery(query, &m); err != nil {
		fmt.Println(err)
		return
	}
	m.TID = []byte("aa")
	m.ID = kad.ID([]byte("abcdefghij0123456789"))
	m.Set(krpc.FieldID)
	fmt.Printf("%s\n", krpc.Append(nil, &m))

	if err := krpc.Parse([]byte("d1:rd2:id20:mnopqrstuvwxyz1234565:totali42ee1:t2:aa1:y1:re"), &m); err != nil {
		fmt.Println(err)
		return
	}
	var total int64
	if raw, ok := m.Lookup("total"); ok {
		fmt.Println(krpc.Decode(raw, &total), total)
	}
	// Output:
	// d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz1234564:votei1ee1:q4:vote1:t2:aa1:y1:qe
	// <nil> 42
}
