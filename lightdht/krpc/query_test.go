package krpc

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/zeebo/bencode"
)

func TestQueries(t *testing.T) {
	four, one := int64(4), int64(1)
	for _, c := range []struct {
		query Query
		body  string
	}{
		{Ping{}, "de"},
		{FindNode{Target: idM}, "d6:target20:mnopqrstuvwxyz123456e"},
		{FindNode{Target: idM, Want: WantIPv6}, "d6:target20:mnopqrstuvwxyz1234564:wantl2:n6ee"},
		{GetPeers{InfoHash: idM}, "d9:info_hash20:mnopqrstuvwxyz123456e"},
		{GetPeers{InfoHash: idM, Want: WantIPv4, Scrape: true, NoSeed: true},
			"d9:info_hash20:mnopqrstuvwxyz1234566:noseedi1e6:scrapei1e4:wantl2:n4ee"},
		{AnnouncePeer{InfoHash: idM}, "d9:info_hash20:mnopqrstuvwxyz1234564:porti0ee"},
		{AnnouncePeer{InfoHash: idM, Port: 6881, ImpliedPort: true, Token: []byte("t\x00k"), Seed: true},
			"d12:implied_porti1e9:info_hash20:mnopqrstuvwxyz1234564:porti6881e4:seedi1e5:token3:t\x00ke"},
		{Get{Target: idM}, "d6:target20:mnopqrstuvwxyz123456e"},
		{Get{Target: idM, Seq: &four, Want: WantIPv4 | WantIPv6}, "d3:seqi4e6:target20:mnopqrstuvwxyz1234564:wantl2:n42:n6ee"},
		{Put{Token: []byte("tok"), Value: []byte("le")}, "d5:token3:tok1:vlee"},
		{Put{Token: []byte("tok"), Value: []byte("i1e"), PublicKey: []byte(key32), Signature: []byte(sig64), Salt: []byte("foobar"), Seq: &four, CAS: &one},
			"d3:casi1e1:k32:" + key32 + "4:salt6:foobar3:seqi4e3:sig64:" + sig64 + "5:token3:tok1:vi1ee"},
		{SampleInfohashes{Target: idM, Want: WantIPv4}, "d6:target20:mnopqrstuvwxyz1234564:wantl2:n4ee"},
		{Any{Name: "vote"}, "de"},
		{Any{Name: "vote", Args: map[string]any{}}, "de"},
		{Any{Name: "vote", Args: map[string]any{"z": 1, "a": []byte{0, 255}, "target": idM, "m": map[string]any{"id": idA}, "l": []any{idA, "x", true}}},
			"d1:a2:\x00\xff1:ll20:abcdefghij01234567891:xi1ee1:md2:id20:abcdefghij0123456789e6:target20:mnopqrstuvwxyz1234561:zi1ee"},
		{Any{Name: "vote", Args: struct {
			B string `bencode:"b"`
			A int64  `bencode:"a"`
			C int64  `bencode:"c,omitempty"`
		}{"x", -1, 0}}, "d1:ai-1e1:b1:xe"},
		{Any{Name: "vote", Args: struct {
			Target kad.ID `bencode:"target"`
		}{idM}}, "d6:target20:mnopqrstuvwxyz123456e"},
		{Any{Name: "find_node", Args: bencode.RawMessage("d6:target3:bade")}, "d6:target3:bade"},
		{Any{Name: "ping", Args: map[string]any{"id": idA, "x": 1}}, "d2:id20:abcdefghij01234567891:xi1ee"},
		{Any{Name: "ping", Args: map[string]string{"id": string(idA[:])}}, "d2:id20:abcdefghij0123456789e"},
	} {
		m := Message{Token: []byte("old"), Fields: FieldToken, TID: []byte("old"), Extra: []byte("old")}
		if err := NewQuery(c.query, &m); err != nil {
			t.Errorf("%#v: %v", c.query, err)
			continue
		}
		name := c.query.Method()
		want := "d1:a" + c.body + string(appendString([]byte("1:q"), name)) + "1:y1:qe"
		if got := string(Append(nil, &m)); got != want {
			t.Errorf("%#v:\n%q, want\n%q", c.query, got, want)
		}
		if ownID := strings.Contains(c.body, "2:id20:") && name == "ping"; m.Has(FieldID) != ownID {
			t.Errorf("%#v: FieldID is %v", c.query, !ownID)
		}
	}
}

type unencodable struct{}

func (unencodable) MarshalBencode() ([]byte, error) { return nil, errors.New("no wire form") }

func TestQueryErrors(t *testing.T) {
	for _, c := range []struct {
		query Query
		want  string
	}{
		{nil, "krpc: no query"},
		{Put{}, `krpc: query "put": the value is not bencoded`},
		{Put{Value: []byte("i1ei2e")}, `krpc: query "put": the value is not bencoded`},
		{Put{Value: []byte(strings.Repeat("l", 31) + strings.Repeat("e", 31))}, `krpc: query "put": the value is not bencoded`},
		{Put{Value: []byte("le"), PublicKey: []byte{}}, `krpc: query "put": a public key has 32 bytes, not 0`},
		{Put{Value: []byte("le"), Signature: []byte("x")}, `krpc: query "put": a signature has 64 bytes, not 1`},
		{Any{}, `krpc: query "": no name`},
		{Any{Name: "x", Args: "spam"}, `krpc: query "x": arguments of type string do not encode as one dictionary with sorted keys`},
		{Any{Name: "x", Args: []byte("de")}, `krpc: query "x": arguments of type []uint8 do not encode as one dictionary with sorted keys`},
		{Any{Name: "x", Args: (*Any)(nil)}, `krpc: query "x": arguments of type *krpc.Any do not encode as one dictionary with sorted keys`},
		{Any{Name: "x", Args: bencode.RawMessage("d1:bi1e1:ai1ee")}, `krpc: query "x": arguments of type bencode.RawMessage do not encode as one dictionary with sorted keys`},
		{Any{Name: "x", Args: map[string]any{"a": uint64(1) << 63}}, `krpc: query "x": arguments of type map[string]interface {} do not encode as one dictionary with sorted keys`},
		{Any{Name: "x", Args: map[int]any{1: 1}}, `krpc: query "x": arguments of type map[int]interface {} do not encode as one dictionary with sorted keys`},
		{Any{Name: "x", Args: map[string]any{"a": 1.5}}, `krpc: query "x": Can't encode type: float64`},
		{Any{Name: "x", Args: unencodable{}}, `krpc: query "x": no wire form`},
		{Any{Name: "x", Args: map[string]any{"id": "short"}}, `krpc: query "x": the argument id is not a string of 20 bytes`},
		{Any{Name: "x", Args: map[string]any{"id": 1}}, `krpc: query "x": the argument id is not a string of 20 bytes`},
	} {
		m := Message{Token: []byte("old")}
		err := NewQuery(c.query, &m)
		if err == nil || err.Error() != c.want {
			t.Errorf("%#v: %v, want %s", c.query, err, c.want)
		}
		if !reflect.DeepEqual(m, Message{}) {
			t.Errorf("%#v: after the error %+v", c.query, m)
		}
	}
}

type panicky struct{}

func (panicky) MarshalBencode() ([]byte, error) { panic("out of order") }

func TestAnyRecovers(t *testing.T) {
	var m Message
	if err := NewQuery(Any{Name: "x", Args: panicky{}}, &m); err == nil || !strings.Contains(err.Error(), "out of order") {
		t.Error(err)
	}
}

// An ID is its 20 bytes in both directions.
func TestDecodeID(t *testing.T) {
	var got struct {
		Target kad.ID `bencode:"target"`
	}
	if err := Decode([]byte("d6:target20:mnopqrstuvwxyz123456e"), &got); err != nil || got.Target != idM {
		t.Errorf("Decode = %v, %v", got.Target, err)
	}
	if err := Decode([]byte("d6:target3:bade"), &got); err == nil {
		t.Error("Decode took an ID of three bytes")
	}
}

func TestErrorText(t *testing.T) {
	for _, c := range []struct {
		err  Error
		want string
	}{
		{Error{CodeProtocol, "bad token"}, "krpc error 203: bad token"},
		{Error{-1, "Fehler: Schlüssel"}, "krpc error -1: Fehler: Schlüssel"},
		{Error{CodeServer, "\x1b[2J\xff\n"}, "krpc error 202: ?[2J??"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	var target Error
	if wrapped := errors.Join(Error{CodeGeneric, "x"}); !errors.As(wrapped, &target) || target.Code != 201 {
		t.Error("errors.As does not find an Error")
	}
}

func TestPutKeepsViews(t *testing.T) {
	value := []byte("4:spam")
	var m Message
	if err := NewQuery(Put{Value: value, Token: []byte{}}, &m); err != nil {
		t.Fatal(err)
	}
	if &m.Value[0] != &value[0] || !m.Has(FieldToken) || m.Has(FieldSeq) || m.ID != (kad.ID{}) || !bytes.Equal(m.Token, []byte{}) {
		t.Errorf("%+v", m)
	}
}
