package lightdht_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// What is no message is counted and has no answer.
func TestMalformedDatagrams(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, nil)
		datagrams := []string{
			"",
			"\x41\x00\x12\x34\x00\x00\x00\x01\x00\x00\x00\x00\x00\x10\x00\x00\x00\x01\x00\x00", // uTP SYN
			"\x21\x02\x12\x34",
			"i1e", "le", "d", "de", "4:spam", "dd", strings.Repeat("d1:a", 100),
			"d1:ad2:id20:short1:q4:ping1:t2:aa1:y1:qe",
			"d1:t2:aa1:y1:xe",
			strings.Repeat("\x00", 65000),
			"d1:t99999999999:aae",
		}
		for _, d := range datagrams {
			b.raw(at(addrA), d)
		}
		if got := b.take(); len(got) != 0 {
			t.Errorf("%d answers: %q", len(got), got[0].Raw)
		}
		l.counts(a, map[lightdht.Counter]uint64{
			lightdht.Malformed: uint64(len(datagrams)) - 1, lightdht.Foreign: 1, lightdht.PacketsIn: uint64(len(datagrams)), lightdht.QueriesIn: 0,
		})
		if got := b.query(at(addrA), krpc.Ping{}); got.ID != a.ID() {
			t.Errorf("after them the node answers %v", got)
		}
	})
}

// The oddities of real clients: each is answered as it says, and never fails.
func TestOddQueries(t *testing.T) {
	const id = "20:abcdefghij0123456789"
	const code203, pong, nothing = krpc.CodeProtocol, 0, -1
	for _, c := range []struct {
		name, datagram string
		want           int64
	}{
		{"no a", "d1:q4:ping1:t2:aa1:y1:qe", code203},
		{"a is an integer", "d1:ai7e1:q4:ping1:t2:aa1:y1:qe", code203},
		{"a is a list", "d1:ale1:q9:find_node1:t2:aa1:y1:qe", code203},
		{"a is a string", "d1:a3:abc1:q9:get_peers1:t2:aa1:y1:qe", code203},
		{"empty a", "d1:ade1:q4:ping1:t2:aa1:y1:qe", code203},
		{"id of 19 bytes", "d1:ad2:id19:abcdefghij012345678e1:q4:ping1:t2:aa1:y1:qe", code203},
		{"id is an integer", "d1:ad2:idi1ee1:q4:ping1:t2:aa1:y1:qe", code203},
		{"empty t", "d1:ad2:id" + id + "e1:q4:ping1:t0:1:y1:qe", nothing},
		{"no t", "d1:ad2:id" + id + "e1:q4:ping1:y1:qe", nothing},
		{"t is an integer", "d1:ad2:id" + id + "e1:q4:ping1:ti5e1:y1:qe", nothing},
		{"t of 20 bytes", "d1:ad2:id" + id + "e1:q4:ping1:t" + id + "1:y1:qe", pong},
		{"t of 128 bytes", "d1:ad2:id" + id + "e1:q4:ping1:t128:" + strings.Repeat("t", 128) + "1:y1:qe", pong},
		{"t of 129 bytes", "d1:ad2:id" + id + "e1:q4:ping1:t129:" + strings.Repeat("t", 129) + "1:y1:qe", nothing},
		{"binary t", "d1:ad2:id" + id + "e1:q4:ping1:t4:\x00\xff\x00e1:y1:qe", pong},
		{"no q", "d1:ad2:id" + id + "e1:t2:aa1:y1:qe", krpc.CodeMethodUnknown},
		{"q is a list", "d1:ad2:id" + id + "e1:qle1:t2:aa1:y1:qe", krpc.CodeMethodUnknown},
		{"find_node without target", "d1:ad2:id" + id + "e1:q9:find_node1:t2:aa1:y1:qe", code203},
		{"find_node with a short target", "d1:ad2:id" + id + "6:target3:abce1:q9:find_node1:t2:aa1:y1:qe", code203},
		{"get_peers without info_hash", "d1:ad2:id" + id + "e1:q9:get_peers1:t2:aa1:y1:qe", code203},
		{"announce without anything", "d1:ad2:id" + id + "e1:q13:announce_peer1:t2:aa1:y1:qe", code203},
		{"unknown method", "d1:ad2:id" + id + "e1:q4:vote1:t2:aa1:y1:qe", krpc.CodeMethodUnknown},
		{"unsorted keys", "d1:y1:q1:t2:aa1:q4:ping1:ad2:id" + id + "ee", pong},
		{"no y", "d1:ad2:id" + id + "e1:q4:ping1:t2:aae", pong},
		{"a key nobody knows", "d1:ad2:id" + id + "3:zzzd1:xi1eee1:q4:ping1:t2:aa1:y1:qe", pong},
	} {
		t.Run(c.name, func(t *testing.T) {
			inLab(t, func(l *lab) {
				a := l.node(addrA, lightdht.Config{})
				b := l.peer(addrB, nil)
				if c.want == nothing {
					b.raw(at(addrA), c.datagram)
					if got := b.take(); len(got) > 1 || len(got) == 1 && got[0].Kind != krpc.KindQuery {
						t.Errorf("answered: %q", got[0].Raw)
					}
					l.counts(a, map[lightdht.Counter]uint64{lightdht.Unanswered: 1, lightdht.RepliesOut: 0})
					return
				}
				var asked krpc.Message
				krpc.Parse([]byte(c.datagram), &asked)
				got := b.ask(at(addrA), c.datagram)
				if got.Code != c.want || string(got.TID) != string(asked.TID) {
					t.Errorf("the answer is %q", got.Raw)
				}
				if c.want == pong && got.ID != a.ID() {
					t.Errorf("the answer is %q", got.Raw)
				}
			})
		})
	}
}

// Announcements with something missing or wrong are refused, in words that say
// what, and store nothing.
func TestOddAnnouncements(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, nil)
		infohash := idOf("infohash")
		token := string(b.query(at(addrA), krpc.GetPeers{InfoHash: infohash}).Token)
		announce := func(args map[string]any) packet {
			return b.query(at(addrA), krpc.Any{Name: "announce_peer", Args: args})
		}
		for _, c := range []struct {
			args map[string]any
			want string
		}{
			{map[string]any{"port": 1, "token": token}, "info_hash of 20 bytes missing"},
			{map[string]any{"info_hash": "short", "port": 1, "token": token}, "info_hash of 20 bytes missing"},
			{map[string]any{"info_hash": infohash, "token": token}, "port missing"},
			{map[string]any{"info_hash": infohash, "port": 0, "token": token}, "port missing"},
			{map[string]any{"info_hash": infohash, "port": 70000, "token": token}, "port missing"},
			{map[string]any{"info_hash": infohash, "port": "1", "token": token}, "port missing"},
			{map[string]any{"info_hash": infohash, "port": 1}, "bad token"},
			{map[string]any{"info_hash": infohash, "port": 1, "token": ""}, "bad token"},
			{map[string]any{"info_hash": infohash, "port": 1, "token": token + "x"}, "bad token"},
			{map[string]any{"info_hash": infohash, "port": 1, "token": token[1:]}, "bad token"},
		} {
			if got := announce(c.args); got.Code != krpc.CodeProtocol || string(got.Text) != c.want {
				t.Errorf("%v: %q, want %q", c.args, got.Raw, c.want)
			}
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.BadToken: 4, lightdht.ErrorsOut: 10})
		if got := b.query(at(addrA), krpc.GetPeers{InfoHash: infohash}); got.Has(krpc.FieldValues) {
			t.Errorf("stored: %v", got.PeerAddrs())
		}
		if got := announce(map[string]any{"info_hash": infohash, "implied_port": 1, "token": token}); got.Kind != krpc.KindReply {
			t.Errorf("with implied_port and no port: %q", got.Raw)
		}
	})
}

// Replies of sloppy peers: what is well-formed counts.
func TestOddReplies(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		node := kad.NodeInfo{ID: idOf("named"), Addr: at(addrC)}
		l.peer(addrB, func(p *peer, q *packet) {
			torn := string(krpc.AppendNode(nil, node)) + "torn"
			p.raw(q.from, "d1:q4:ping1:rd5:nodes30:"+torn+"2:id20:"+string(p.id[:])+"2:ip6:\x0a\x00\x00\x01\x03\xe9e1:t4:"+string(q.TID)+"1:y1:re")
		})
		reply, err := a.Ping(l.ctx, at(addrB))
		if err != nil || reply.ID != idOf(addrB) || reply.IP != at(addrA) || reply.Nodes.Len() != 1 || reply.Nodes.At(0) != node {
			t.Errorf("the answer is %v, %v", reply, err)
		}
		want := krpc.TornNodes | krpc.UnsortedKeys | krpc.ExtraQuery | krpc.MisplacedIP
		if reply.Anomalies != want {
			t.Errorf("its anomalies are %s, want %s", reply.Anomalies, want)
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.Anomalous: 1, lightdht.Malformed: 0})
	})
}

// A reply without an id, or without r, is an answer that names nobody.
func TestReplyWithoutID(t *testing.T) {
	for _, body := range []string{"1:rde", "1:r0:", "", "1:rd2:id3:abce"} {
		inLab(t, func(l *lab) {
			a := l.node(addrA, lightdht.Config{})
			l.peer(addrB, func(p *peer, q *packet) { p.raw(q.from, "d"+body+"1:t4:"+string(q.TID)+"1:y1:re") })
			reply, err := a.Ask(l.ctx, kad.NodeInfo{ID: idOf(addrB), Addr: at(addrB)}, krpc.Ping{})
			if err != nil || reply.Has(krpc.FieldID) || reply.Unexpected() {
				t.Errorf("%q: %v, %v", body, reply, err)
			}
			if a.Len() != 0 {
				t.Errorf("%q: %d contacts", body, a.Len())
			}
		})
	}
}

// A flood of packets leaves a node that still answers.
func TestFlood(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, nil)
		began := time.Now()
		for i := range 5000 {
			b.send(at(addrA), krpc.Message{Kind: krpc.KindReply, TID: []byte{1, 2, byte(i >> 8), byte(i)}, Fields: krpc.FieldID, ID: b.id})
		}
		synctest.Wait()
		if got := b.query(at(addrA), krpc.Ping{}); got.ID != a.ID() || time.Since(began) != 0 {
			t.Errorf("after %v: %q", time.Since(began), got.Raw)
		}
		if in, strays := a.Count(lightdht.PacketsIn), a.Count(lightdht.Stray); in != strays+1 || strays == 0 {
			t.Errorf("of %d packets %d are strays", in, strays)
		}
	})
}
