package lightdht

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/table"
)

// wire is a connection whose other end is a function: send is called with what
// is written, and what comes from in is read.
type wire struct {
	send   func(b []byte, to netip.AddrPort)
	in     chan datagram
	once   sync.Once
	closed chan struct{}
}

type datagram struct {
	b    []byte
	from netip.AddrPort
}

func newWire() *wire {
	return &wire{send: func([]byte, netip.AddrPort) {}, in: make(chan datagram, 64), closed: make(chan struct{})}
}

func (w *wire) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	select {
	case d := <-w.in:
		return copy(b, d.b), d.from, nil
	case <-w.closed:
		return 0, netip.AddrPort{}, net.ErrClosed
	}
}

func (w *wire) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	w.send(b, to)
	return len(b), nil
}

func (w *wire) LocalAddr() net.Addr { return &net.UDPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 1} }
func (w *wire) Close() error        { w.once.Do(func() { close(w.closed) }); return nil }

var asker = netip.MustParseAddrPort("10.0.0.2:2")

// wired starts a node on w that knows size contacts, all of them good.
func wired(t testing.TB, w PacketConn, size int) *Node { return recording(t, w, size, nil) }

// recording is wired with a Recorder.
func recording(t testing.TB, w PacketConn, size int, to record.Recorder) *Node {
	n, err := Listen("", Config{ID: kad.ID{1}, Conn4: w, Network: Private, Recorder: to})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	r, now := rand.New(rand.NewPCG(1, 1)), time.Now()
	for i := range size {
		ip := netip.AddrFrom4([4]byte{10, byte(1 + i>>16), byte(i >> 8), byte(i)})
		node := kad.NodeInfo{ID: drawID(r), Addr: netip.AddrPortFrom(ip, 6881)}
		n.ends[0].table().Observe(table.Sighting{Node: node, Time: now, Event: table.Replied})
	}
	return n
}

func drawID(r *rand.Rand) (id kad.ID) {
	for i := 0; i < kad.Size; i += 4 {
		binary.BigEndian.PutUint32(id[i:], r.Uint32())
	}
	return id
}

// encoded is a query as it comes from somebody.
func encoded(q krpc.Query) []byte {
	var m krpc.Message
	krpc.NewQuery(q, &m)
	m.ID, m.TID = kad.ID{2}, []byte("aaaa")
	m.Set(krpc.FieldID)
	return krpc.Append(nil, &m)
}

// FuzzReceive has datagrams of any kind arrive at a node that knows contacts,
// stores peers and waits for an answer under the transaction id that stands for
// TIDX in the datagram. It never fails, and sends at most one answer, of at most
// 1,024 bytes, and one greeting.
func FuzzReceive(f *testing.F) {
	infohash := kad.ID{7}
	for _, q := range []krpc.Query{
		krpc.Ping{}, krpc.FindNode{}, krpc.FindNode{Want: krpc.WantIPv4 | krpc.WantIPv6}, krpc.GetPeers{InfoHash: infohash},
		krpc.GetPeers{InfoHash: infohash, Scrape: true}, krpc.GetPeers{InfoHash: infohash, NoSeed: true}, krpc.SampleInfohashes{},
		krpc.AnnouncePeer{InfoHash: infohash, Port: 1, Token: []byte("12345678")}, krpc.Get{}, krpc.Any{Name: "vote"},
	} {
		f.Add(encoded(q))
	}
	for _, s := range []string{
		"", "d", "d1:q4:ping1:t2:aa1:y1:qe", "d1:ai7e1:q4:ping1:t2:aa1:y1:qe", "d1:ade1:q13:announce_peer1:t0:1:y1:qe",
		"d1:rd2:id20:mnopqrstuvwxyz123456e1:t4:TIDX1:y1:re", "d1:eli201e4:oopse1:t4:TIDX1:y1:ee", "d1:t4:TIDX1:y1:re",
		"d2:ip6:aaaabb1:rd2:id20:mnopqrstuvwxyz1234565:nodes26:mnopqrstuvwxyz123456aaaabbe1:t4:TIDX1:y1:re", "A\x00\x01\x02",
	} {
		f.Add([]byte(s))
	}
	for _, b := range hostileSeeds() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var sent []krpc.Message
		w := newWire()
		w.send = func(b []byte, to netip.AddrPort) {
			var m krpc.Message
			if err := krpc.Parse(slices.Clone(b), &m); err != nil || len(b) > 1024 || m.Anomalies != 0 || to != asker {
				t.Errorf("sent to %s %d bytes with %s: %q, %v", to, len(b), m.Anomalies, b, err)
			}
			sent = append(sent, m)
		}
		n := wired(t, w, 20)
		defer n.Close()
		for i := range 300 {
			n.endpoint(kad.FamilyOf(peerAt(i).Addr())).peers.add(time.Now(), infohash, peerAt(i), i%3 == 0)
		}
		ended := 0
		n.start(t.Context(), &call{to: kad.NodeInfo{ID: kad.ID{9}, Addr: asker}, deliver: func(*call) { ended++ }}, krpc.Ping{})
		b = bytes.Replace(b, []byte("TIDX"), sent[0].TID, 1)
		sent = nil
		n.receive(n.ends[0], b, asker, time.Now())
		answers, greetings := 0, 0
		for _, m := range sent {
			if m.Kind == krpc.KindQuery && m.Method == krpc.MethodPing {
				greetings++
			} else {
				answers++
			}
		}
		if answers > 1 || greetings > 1 || ended > 1 {
			t.Errorf("%d answers, %d greetings, %d ends", answers, greetings, ended)
		}
		if calls, _ := n.Waiting(); calls != 1-ended+greetings {
			t.Errorf("%d calls wait after %d ends and %d greetings", calls, ended, greetings)
		}
	})
}
