package lightdht

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/table"
)

// What ends a call, and what the error says.
func TestRefusal(t *testing.T) {
	receiver, router := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.254")
	receiver6, router6 := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
	for _, c := range []struct {
		family     icmpFamily
		kind, code uint8
		by         netip.Addr
		want       string // "" if the call goes on
	}{
		{icmp4, 3, 3, receiver, "nobody listens there: port unreachable"},
		{icmp4, 3, 3, router, "nobody listens there: port unreachable"},
		{icmp4, 3, 2, router, "nobody listens there: protocol unreachable"},
		{icmp4, 3, 3, netip.Addr{}, "nobody listens there: port unreachable"},
		{icmp4, 3, 1, receiver, "nobody listens there: host unreachable"},
		{icmp4, 3, 10, receiver, "nobody listens there: host prohibited"},
		{icmp4, 3, 13, receiver, "nobody listens there: prohibited"},
		{icmp4, 3, 0, router, ""},
		{icmp4, 3, 1, router, ""},
		{icmp4, 3, 13, router, ""},
		{icmp4, 3, 1, netip.Addr{}, ""},
		{icmp4, 3, 4, receiver, ""},  // too large
		{icmp4, 3, 16, receiver, ""}, // of no meaning
		{icmp4, 11, 0, receiver, ""}, // time exceeded
		{icmp4, 11, 3, receiver, ""},
		{icmp4, 1, 4, receiver, ""}, // ICMPv6's port unreachable
		{icmp6, 1, 4, receiver6, "nobody listens there: port unreachable"},
		{icmp6, 1, 4, router6, "nobody listens there: port unreachable"},
		{icmp6, 1, 1, receiver6, "nobody listens there: prohibited"},
		{icmp6, 1, 0, router6, ""},
		{icmp6, 1, 3, router6, ""},
		{icmp6, 2, 0, receiver6, ""}, // too large
		{icmp6, 3, 3, receiver6, ""},
		{0, 3, 3, receiver, ""}, // the system's own
		{0, 0, 0, receiver, ""},
	} {
		to := receiver
		if c.by.Is6() {
			to = receiver6.WithZone("eth0")
		}
		r := returned{to: netip.AddrPortFrom(to, 1), by: c.by, family: c.family, kind: c.kind, code: c.code}
		err := r.refusal()
		if got := ""; err != nil {
			if got = err.Error(); got != c.want || !errors.Is(err, ErrRefused) {
				t.Errorf("%v: %q", c, got)
			}
		} else if c.want != "" {
			t.Errorf("%v: the call goes on", c)
		}
	}
}

// Only the packet that came back ends a call: what names another address or
// transaction id, or is cut short, ends none.
func TestReturnedMustMatch(t *testing.T) {
	w := newWire()
	var sent []byte
	w.send = func(b []byte, _ netip.AddrPort) { sent = slices.Clone(b) }
	n := wired(t, w, 0)
	info := kad.NodeInfo{ID: kad.ID{9}, Addr: asker}
	ended := 0
	c := &call{to: info, named: true, deliver: func(*call) { ended++ }}
	n.start(t.Context(), c, krpc.Ping{})
	good := returned{to: asker, by: asker.Addr(), family: icmp4, kind: 3, code: 3, payload: sent}
	change := func(f func(r *returned)) returned {
		r := good
		r.payload = slices.Clone(sent)
		f(&r)
		return r
	}
	var reply krpc.Message
	reply.Kind, reply.ID = krpc.KindReply, kad.ID{2}
	reply.Set(krpc.FieldID)
	reply.TID = binary.BigEndian.AppendUint32(nil, c.tid)
	for name, r := range map[string]returned{
		"port":    change(func(r *returned) { r.to = netip.AddrPortFrom(asker.Addr(), 3) }),
		"host":    change(func(r *returned) { r.to = netip.AddrPortFrom(asker.Addr().Next(), asker.Port()) }),
		"nowhere": change(func(r *returned) { r.to = netip.AddrPort{} }),
		"tid":     change(func(r *returned) { r.payload[strings.Index(string(sent), "1:t4:")+5]++ }),
		"cut":     change(func(r *returned) { r.payload = r.payload[:len(sent)-1] }),
		"empty":   change(func(r *returned) { r.payload = nil }),
		"router":  change(func(r *returned) { r.by, r.code = r.by.Next(), 1 }),
		"reply":   change(func(r *returned) { r.payload = krpc.Append(nil, &reply) }),
	} {
		if n.takeReturned(r, time.Now()); ended != 0 || n.Count(Refused) != 0 {
			t.Fatalf("%s: the call was ended: %v", name, c.err)
		}
	}
	now := time.Now()
	n.takeReturned(good, now)
	var q *QueryError
	if ended != 1 || !errors.Is(c.err, ErrRefused) || !errors.As(c.err, &q) || q.Method != "ping" || q.Addr != asker {
		t.Errorf("ended %d times: %v", ended, c.err)
	}
	n.takeReturned(good, now) // a copy
	if ended != 1 || n.Count(Refused) != 1 || n.Count(Timeouts) != 0 {
		t.Errorf("%d refusals, %d time-outs", n.Count(Refused), n.Count(Timeouts))
	}
	if calls, late := n.Waiting(); calls != 0 || late != 1 {
		t.Errorf("%d calls wait, %d are remembered", calls, late)
	}
}

// A contact that refuses has failed, as by a time-out; nobody expected there has
// not.
func TestRefusedContactHasFailed(t *testing.T) {
	var sent []byte
	w := newWire()
	w.send = func(b []byte, _ netip.AddrPort) { sent = slices.Clone(b) }
	n := wired(t, w, 0)
	info := kad.NodeInfo{ID: kad.ID{9}, Addr: asker}
	n.observe(table.Sighting{Node: info, Time: time.Now(), Event: table.Replied}, about{})
	for i, named := range []bool{true, false} {
		n.start(t.Context(), &call{to: info, named: named, deliver: func(*call) {}}, krpc.Ping{})
		n.takeReturned(returned{to: asker, by: asker.Addr(), family: icmp4, kind: 3, code: 3, payload: sent}, time.Now())
		if c, _ := n.ends[0].table().Get(info); c.Failures != 1 || n.Count(Refused) != uint64(i+1) {
			t.Errorf("%d failures after %d refusals", c.Failures, n.Count(Refused))
		}
	}
}

// ends is a Recorder that keeps how queries of ours ended.
type ends struct {
	visits    []record.Visit
	endpoints []record.Endpoint
}

func (e *ends) Record(row record.Row) {
	switch r := row.(type) {
	case *record.Visit:
		e.visits = append(e.visits, *r)
	case *record.Endpoint:
		e.endpoints = append(e.endpoints, *r)
	}
}

// A refusal is a visit; and an endpoint, if nobody was expected there.
func TestRefusalsAreRecorded(t *testing.T) {
	for _, named := range []bool{true, false} {
		var sent []byte
		w := newWire()
		w.send = func(b []byte, _ netip.AddrPort) { sent = slices.Clone(b) }
		var all ends
		n := recording(t, w, 0, &all)
		to := kad.NodeInfo{Addr: asker}
		if named {
			to.ID = kad.ID{9}
		}
		n.start(t.Context(), &call{to: to, named: named, deliver: func(*call) {}}, krpc.FindNode{Target: kad.ID{7}})
		n.takeReturned(returned{to: asker, by: asker.Addr(), family: icmp4, kind: 3, code: 3, payload: sent}, time.Now())
		if len(all.visits) != 1 || len(all.endpoints) == 0 != named {
			t.Fatalf("%d visits, %d endpoints", len(all.visits), len(all.endpoints))
		}
		v := all.visits[0]
		if v.Outcome != record.Unreachable || v.Node != to || v.Sent != len(sent) || v.Target != (record.Target{ID: kad.ID{7}}) || v.Got != 0 {
			t.Errorf("%+v", v)
		}
		if !named && (all.endpoints[0] != record.Endpoint{Time: v.Time, Self: n.ID(), Addr: asker, Source: "asked"}) {
			t.Errorf("%+v", all.endpoints[0])
		}
	}
}

// The round trip of a visit is that of the reply: until it arrived, not until it
// was worked on.
func TestVisitHasTheRoundTrip(t *testing.T) {
	var all ends
	n := recording(t, newEcho(), 0, &all)
	reply, err := n.Ping(t.Context(), asker)
	if err != nil || len(all.visits) != 1 || all.visits[0].RTT != reply.RTT {
		t.Errorf("%v: a round trip of %v, and %+v", err, reply.RTT, all.visits)
	}
}

// refuses skips where nobody is told of refusals.
func refuses(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("refusals are told by Linux alone")
	}
}

// A ping to where nobody listens ends long before its time is over.
func TestPingRefused(t *testing.T) {
	refuses(t)
	onLoopback(t, func(t *testing.T, host string, closed netip.AddrPort) {
		n, err := Listen(host, Config{Timeout: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		for i := range 300 {
			if _, err := n.Ping(ctx, closed); !errors.Is(err, ErrRefused) || !strings.HasSuffix(err.Error(), "nobody listens there: port unreachable") {
				t.Fatalf("ping %d: %v", i, err)
			}
		}
		if n.Count(Refused) != 300 || n.Count(Timeouts)+n.Count(ReadErrors)+n.Count(WriteErrors) != 0 || n.Count(QueriesOut) != 300 {
			t.Errorf("%d refused, %d time-outs, %d and %d errors", n.Count(Refused), n.Count(Timeouts), n.Count(ReadErrors), n.Count(WriteErrors))
		}
	})
}

// Whoever is there is not taken for refusing because others do.
func TestLivingAreNotRefused(t *testing.T) {
	refuses(t)
	onLoopback(t, func(t *testing.T, host string, closed netip.AddrPort) {
		n, err := Listen(host, Config{Timeout: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		silent := openUDP(t, host)
		done := make(chan error, 1)
		n.Go(ctx, localAddr(silent), krpc.Ping{}, func(_ krpc.Reply, err error) { done <- err })
		const others = 200
		refused := make(chan error, others)
		for range others {
			n.Go(ctx, closed, krpc.Ping{}, func(_ krpc.Reply, err error) { refused <- err })
		}
		for range others {
			if err := <-refused; !errors.Is(err, ErrRefused) {
				t.Fatal(err)
			}
		}
		select {
		case err := <-done:
			t.Fatalf("the living: %v", err)
		default:
		}
		answer(t, silent)
		if err := <-done; err != nil {
			t.Errorf("the living: %v", err)
		}
	})
}

// answer replies to the query that a socket has received.
func answer(t *testing.T, conn *net.UDPConn) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	buf := make([]byte, 1<<11)
	size, from, err := conn.ReadFromUDPAddrPort(buf)
	var q krpc.Message
	if err := errors.Join(err, krpc.Parse(buf[:size], &q)); err != nil {
		t.Fatal(err)
	}
	reply := krpc.Message{Kind: krpc.KindReply, TID: q.TID, ID: kad.ID{2}}
	reply.Set(krpc.FieldID)
	if _, err := conn.WriteToUDPAddrPort(krpc.Append(nil, &reply), from); err != nil {
		t.Fatal(err)
	}
}

// More than the limit in a second is not heard until the second is over.
func TestFlood(t *testing.T) {
	now := time.Now()
	const limit = 100
	f := flood{limit: limit}
	for i, c := range []struct {
		after time.Duration
		n     int
		want  time.Duration
	}{
		{0, limit, 0},
		{200 * time.Millisecond, 1, 800 * time.Millisecond},
		{time.Second, 0, 0},
		{time.Second, limit - 1, 0},
		{1999 * time.Millisecond, 2, time.Millisecond},
		{2 * time.Second, limit, 0},
		{time.Hour, 3 * limit, time.Second},
	} {
		if got := f.add(c.n, now.Add(c.after)); got != c.want {
			t.Errorf("%d: %v, want %v", i, got, c.want)
		}
	}
}
