package lightdht_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// A node asks another for its infohashes.
func TestSampleInfohashes(t *testing.T) {
	inLab(t, func(l *lab) {
		a, b := l.node(addrA, lightdht.Config{}), l.node(addrB, lightdht.Config{})
		crowd(random(t, 51), b, kad.IPv4, 100, 0.5)
		know(b, kad.NodeInfo{ID: a.ID(), Addr: at(addrA)}, now()) // the greeting changes nothing
		ask := func() (krpc.Reply, []kad.ID) {
			t.Helper()
			reply, err := a.SampleInfohashes(l.ctx, at(addrB), idOf("target"))
			if err != nil {
				t.Fatal(err)
			}
			if !reply.Has(krpc.FieldSamples|krpc.FieldNum|krpc.FieldInterval) || reply.Interval != 21600 || len(reply.Raw) > 1024 {
				t.Errorf("%q", reply.Raw)
			}
			if want := nearest(b, kad.IPv4, idOf("target")); !slices.Equal(reply.NodeInfos(), want) {
				t.Errorf("nodes %v, want %v", reply.NodeInfos(), want)
			}
			return reply, slices.SortedFunc(reply.Infohashes(), kad.ID.Compare)
		}
		if reply, got := ask(); len(got) != 0 || reply.Num != 0 {
			t.Errorf("of nothing: %v, num %d", got, reply.Num)
		}
		var stored []kad.ID
		for i := range 50 {
			stored = append(stored, idOf(fmt.Sprint("hash", i)))
			l.join(host(1), at(addrB), stored[i], 1, false)
			if i == 2 {
				want := slices.SortedFunc(slices.Values(stored), kad.ID.Compare)
				if reply, got := ask(); !slices.Equal(got, want) || reply.Num != 3 {
					t.Errorf("got %v, num %d, want %v", got, reply.Num, want)
				}
			}
		}
		reply, first := ask()
		if reply.Num != 50 || len(first) != 20 {
			t.Errorf("%d infohashes, num %d", len(first), reply.Num)
		}
		for _, infohash := range first {
			if !slices.Contains(stored, infohash) {
				t.Errorf("%s was not announced", infohash)
			}
		}
		time.Sleep(10 * time.Minute)
		if _, again := ask(); !slices.Equal(again, first) {
			t.Error("another sample after 10 minutes")
		}
	})
}

// samples is there even when it is empty, and a query without a target is
// refused.
func TestSampleInfohashesOnTheWire(t *testing.T) {
	inLab(t, func(l *lab) {
		id := idOf("a")
		l.node(addrA, lightdht.Config{ID: id, Version: []byte("XY\x00\x01")})
		b := l.peer(addrB, nil)
		got := b.query(at(addrA), krpc.SampleInfohashes{})
		want := "d2:ip6:\x0a\x00\x00\x02\x03\xea1:rd2:id20:" + string(id[:]) +
			"8:intervali21600e5:nodes0:3:numi0e7:samples0:e1:t2:aa1:v4:XY\x00\x011:y1:re"
		if string(got.Raw) != want {
			t.Errorf("the answer is  %q,\nwant %q", got.Raw, want)
		}
		if got := b.query(at(addrA), krpc.Any{Name: "sample_infohashes"}); got.Code != krpc.CodeProtocol {
			t.Errorf("without a target: %q", got.Raw)
		}
	})
}

// A node of both families tells the infohashes of the family that asks, and with
// all the nodes there are it stays within 1,024 bytes.
func TestSampleInfohashesInBothFamilies(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node("", lightdht.Config{Conn4: l.listen(addrA), Conn6: l.listen("[fd00::1]:1")})
		r := random(t, 51)
		crowd(r, a, kad.IPv4, 100, 0.5)
		crowd(r, a, kad.IPv6, 100, 0.5)
		for i := range 25 {
			l.join(host(1), at(addrA), idOf(fmt.Sprint("four", i)), 1, false)
		}
		six := l.peer("[fd00::2]:2", nil)
		announce(six, at("[fd00::1]:1"), idOf("six"), 1)
		four := l.peer(addrB, nil)
		both := krpc.WantIPv4 | krpc.WantIPv6
		got := four.query(at(addrA), krpc.SampleInfohashes{Want: both})
		if got.Num != 25 || len(got.Samples) != 400 || got.Nodes.Len() != 8 || got.Nodes6.Len() == 0 || len(got.Raw) > 1024 || got.Anomalies != 0 {
			t.Errorf("%d bytes: num %d, %d and %d nodes", len(got.Raw), got.Num, got.Nodes.Len(), got.Nodes6.Len())
		}
		got = six.query(at("[fd00::1]:1"), krpc.SampleInfohashes{Want: both})
		if ids := slices.Collect(got.Infohashes()); !slices.Equal(ids, []kad.ID{idOf("six")}) || got.Nodes.Len() != 8 || got.Nodes6.Len() != 8 {
			t.Errorf("%v, %d and %d nodes", ids, got.Nodes.Len(), got.Nodes6.Len())
		}
	})
}
