package lightdht_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// largest is what a UDP datagram over IPv4 can carry.
const largest = 65507

// hostileDatagrams are datagrams of which none is a message: of every length that
// matters, of bytes that mean something to a parser; every prefix of valid
// messages; and what is nested deeply.
func hostileDatagrams(id kad.ID) (all []string) {
	for _, size := range []int{0, 1, 2, 3, 19, 20, 21, 511, 512, 1024, 1472, 1500, 8192, 32768, 65000, largest - 1, largest} {
		for _, fill := range []string{"\x00", "\xff", "d", "l", "e", "9", "i", "2:a", "le", "de", "0:", "d1:a"} {
			all = append(all, strings.Repeat(fill, size/len(fill)+1)[:size])
		}
	}
	for _, m := range validMessages(id) {
		for n := range m {
			all = append(all, m[:n])
		}
		for _, more := range []string{"e", "d", "\x00", m} {
			all = append(all, "l"+m+more) // no message within something else
		}
	}
	for _, nested := range []string{"d1:a", "l", "d1:ad2:id20:abcdefghij01234567891:x", "d1:q"} {
		all = append(all, strings.Repeat(nested, largest/len(nested)))
		all = append(all, strings.Repeat(nested, 10000/len(nested))+strings.Repeat("e", 10000/len(nested)))
	}
	return append(all, "d1:t65000:", "d1:t99999999999999999999:", "d1:ti"+strings.Repeat("9", largest-6), "d-1:t2:aae", "d1:t-2:aae", "d01:t2:aae")
}

// validMessages is one message of each kind.
func validMessages(id kad.ID) (all []string) {
	for _, q := range []krpc.Query{
		krpc.Ping{}, krpc.FindNode{Target: id, Want: krpc.WantIPv4 | krpc.WantIPv6}, krpc.GetPeers{InfoHash: id, Scrape: true},
		krpc.AnnouncePeer{InfoHash: id, Port: 1, Token: []byte("token")}, krpc.SampleInfohashes{Target: id},
	} {
		var m krpc.Message
		krpc.NewQuery(q, &m)
		m.ID, m.TID, m.Version = id, []byte("aa"), []byte("LT\x01\x02")
		m.Set(krpc.FieldID)
		all = append(all, string(krpc.Append(nil, &m)))
	}
	reply := says(id, kad.NodeInfo{ID: id, Addr: at(addrC)}, kad.NodeInfo{ID: id, Addr: at(addrB6)})
	reply.Kind, reply.TID, reply.IP = krpc.KindReply, []byte("none"), at(addrB)
	refusal := krpc.Message{Kind: krpc.KindError, TID: []byte("none"), Code: 201, Text: []byte("no")}
	return append(all, string(krpc.Append(nil, reply)), string(krpc.Append(nil, &refusal)))
}

// Datagrams of all sizes that are no messages are counted as that and answered by
// nobody; after each hundred of them the node answers a query.
func TestHostileDatagrams(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b, good := l.peer(addrB, nil), l.peer(addrC, answering)
		good.query(at(addrA), krpc.Ping{})
		all := hostileDatagrams(idOf("x"))
		for i, d := range all {
			b.raw(at(addrA), d)
			if i%100 == 0 {
				if got := good.query(at(addrA), krpc.Ping{}); got.ID != a.ID() {
					t.Errorf("after %d of them the node answers %v", i, got)
				}
			}
		}
		if got := b.take(); len(got) != 0 {
			t.Errorf("%d answers: %q", len(got), got[0].Raw)
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.Malformed: uint64(len(all)), lightdht.Foreign: 0, lightdht.Stray: 0})
		t.Logf("%d datagrams", len(all))
		if a.Len() != 1 {
			t.Errorf("%d contacts", a.Len())
		}
	})
}

// Messages that have giant parts are messages: what is asked is answered in 1,024
// bytes, what is no answer to us is stray.
func TestGiantMessages(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, nil)
		filler := strings.Repeat("x", 65000)
		id := string(b.id[:])
		got := b.ask(at(addrA), "d1:ad2:id20:"+id+"1:x65000:"+filler+"e1:q4:ping1:t2:aa1:y1:qe")
		if got.ID != a.ID() || len(got.Raw) > 1024 {
			t.Errorf("the answer is %q", got.Raw)
		}
		if got := b.ask(at(addrA), "d1:ad2:id20:"+id+"e1:q65000:"+filler+"1:t2:aa1:y1:qe"); got.Code != krpc.CodeMethodUnknown || len(got.Raw) > 1024 {
			t.Errorf("the answer is %q", got.Raw)
		}
		b.raw(at(addrA), "d1:ad2:id20:"+id+"e1:q4:ping1:t65000:"+filler+"1:y1:qe")
		b.raw(at(addrA), "d1:rd2:id20:"+id+"e1:t65000:"+filler+"1:y1:re")
		b.raw(at(addrA), "d1:eli201e65000:"+filler+"e1:t4:none1:y1:ee")
		synctest.Wait()
		l.counts(a, map[lightdht.Counter]uint64{lightdht.Unanswered: 1, lightdht.Stray: 2, lightdht.Malformed: 0, lightdht.RepliesOut: 2})
	})
}

// uTP is told from noise by its first byte and its length, nothing else.
func TestUTPIsForeign(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, nil)
		foreign, noise := uint64(0), uint64(0)
		for first := range 256 {
			for _, size := range []int{1, 19, 20, 21, 1400} {
				b.raw(at(addrA), string(append([]byte{byte(first)}, bytes.Repeat([]byte{7}, size-1)...)))
				if size >= 20 && (first == 0x01 || first == 0x11 || first == 0x21 || first == 0x31 || first == 0x41) {
					foreign++
				} else {
					noise++
				}
			}
			synctest.Wait()
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.Foreign: foreign, lightdht.Malformed: noise, lightdht.PacketsOut: 0})
		if got := b.query(at(addrA), krpc.Ping{}); got.ID != a.ID() {
			t.Errorf("after them the node answers %v", got)
		}
	})
}
