package krpc

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Inputs made by others lie beside the repository.
const sharedData = "../../../shared/data"

func readShared(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(sharedData, name))
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("no shared data beside the repository: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// frame is the payload of one UDP datagram and what carried it.
type frame struct {
	number  int // from 1, as analysers count
	ipv6    bool
	payload []byte
}

// readCapture returns the UDP datagrams of a little-endian pcap file of
// Ethernet frames. Of a fragmented one it returns the first fragment.
func readCapture(t *testing.T, name string) []frame {
	t.Helper()
	b := readShared(t, filepath.Join("captures", name))
	if len(b) < 24 || binary.LittleEndian.Uint32(b) != 0xa1b2c3d4 || binary.LittleEndian.Uint32(b[20:]) != 1 {
		t.Fatalf("%s is no pcap file of Ethernet frames", name)
	}
	var frames []frame
	number := 0
	for b = b[24:]; len(b) >= 16; number++ {
		end := 16 + int(binary.LittleEndian.Uint32(b[8:]))
		if f, ok := datagram(b[16:end]); ok {
			f.number = number + 1
			frames = append(frames, f)
		}
		b = b[end:]
	}
	return frames
}

// datagram takes off Ethernet, IP without options, and UDP.
func datagram(eth []byte) (frame, bool) {
	const udp = 17
	ip := eth[14:]
	switch {
	case binary.BigEndian.Uint16(eth[12:]) == 0x86dd && ip[6] == udp:
		return frame{ipv6: true, payload: ip[40+8:]}, true
	case ip[9] == udp && binary.BigEndian.Uint16(ip[6:])&0x1fff == 0: // fragment offset 0
		return frame{payload: ip[20+8:]}, true
	}
	return frame{}, false
}

func TestCapture(t *testing.T) {
	frames := readCapture(t, "suricata-verify_bittorrent-dht.pcap")
	kinds, anomalies := map[Kind]int{}, map[string]int{}
	for _, f := range frames {
		var m Message
		if err := Parse(f.payload, &m); err != nil {
			t.Fatalf("frame %d: %v", f.number, err)
		}
		kinds[m.Kind]++
		for word := range m.Anomalies.All() {
			anomalies[word]++
		}
	}
	if len(frames) != 16 || kinds[KindQuery] != 8 || kinds[KindReply] != 6 || kinds[KindError] != 2 {
		t.Errorf("%d datagrams, kinds %v", len(frames), kinds)
	}
	if got := fmt.Sprint(anomalies); got != "map[no-tid:1 torn-nodes:2]" {
		t.Error(got)
	}
}

func TestOlderCapture(t *testing.T) {
	frames := readCapture(t, "suricata-verify_bittorrent-dht_older.pcap")
	var over6, nodes, nodes6, peers, cut int
	for _, f := range frames {
		if f.ipv6 {
			over6++
		}
		var m Message
		err := Parse(f.payload, &m)
		if errors.Is(err, ErrSyntax) {
			if want := "krpc: string beyond the end at byte 39"; err.Error() != want {
				t.Errorf("frame %d: %v, want %s", f.number, err, want)
			}
			cut++
			continue
		}
		if err != nil || m.Anomalies != 0 {
			t.Errorf("frame %d: %v %s", f.number, err, m.Anomalies)
		}
		nodes, nodes6, peers = nodes+m.Nodes.Len(), nodes6+m.Nodes6.Len(), peers+m.Values.Len()
		if again := Append(nil, &m); string(again) != string(f.payload) {
			t.Errorf("frame %d: Append gives\n%q, not\n%q", f.number, again, f.payload)
		}
	}
	got := []int{len(frames), over6, nodes, nodes6, peers, cut}
	if want := []int{10, 6, 8, 24, 4, 1}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("datagrams, over IPv6, nodes, IPv6 nodes, peers, cut: %v, want %v", got, want)
	}
}

// What an intrusion detection system read in the same frames.
func TestCaptureAgainstSuricata(t *testing.T) {
	messages := map[string]*Message{}
	for _, f := range readCapture(t, "suricata-verify_bittorrent-dht.pcap") {
		m := new(Message)
		if err := Parse(f.payload, m); err != nil {
			t.Fatal(err)
		}
		messages[strconv.Itoa(f.number)] = m
	}
	checks := 0
	filters := strings.Split(string(readShared(t, "captures/suricata-verify_expected.yaml")), "- filter:")
	for _, filter := range filters[1:] {
		var number string
		want := map[string]string{}
		for line := range strings.Lines(filter) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			if key == "pcap_cnt" {
				number = value
			}
			if key, ok := strings.CutPrefix(key, "bittorrent_dht."); ok {
				want[key] = strings.Trim(value, "'")
			}
		}
		for key, value := range want {
			checks++
			if got := suricataField(messages[number], key); got != value {
				t.Errorf("frame %s: %s is %q, want %q", number, key, got, value)
			}
		}
	}
	if checks < 50 {
		t.Errorf("only %d checks were read", checks)
	}
}

// suricataField returns a field of m under the name and in the form that the
// expectations have.
func suricataField(m *Message, name string) string {
	var i int
	if n, _ := fmt.Sscanf(name, "response.values[%d].", &i); n == 1 {
		peer := m.PeerAddrs()[i]
		if strings.HasSuffix(name, ".ip") {
			return peer.Addr().String()
		}
		return strconv.Itoa(int(peer.Port()))
	}
	switch name {
	case "transaction_id":
		return hex.EncodeToString(m.TID)
	case "client_version":
		return hex.EncodeToString(m.Version)
	case "request_type":
		return m.Method
	case "request.id", "response.id":
		return m.ID.String()
	case "request.target":
		return m.Target.String()
	case "request.info_hash":
		return m.InfoHash.String()
	case "request.token", "response.token":
		return hex.EncodeToString(m.Token)
	case "request.port":
		return strconv.Itoa(int(m.Port))
	case "request.implied_port":
		return strconv.Itoa(int(flag(m.ImpliedPort)))
	case "error.num":
		return strconv.FormatInt(m.Code, 10)
	case "error.msg":
		return string(m.Text)
	}
	return "a field unknown here"
}

// Inputs that once broke another decoder: no panic and no large allocation.
func TestForeignCrashers(t *testing.T) {
	names, _ := filepath.Glob(filepath.Join(sharedData, "fuzzseeds", "*"))
	if len(names) == 0 {
		t.Skip("no shared data beside the repository: fuzzseeds")
	}
	count := 0
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			quoted, ok := strings.CutPrefix(strings.TrimSpace(line), "[]byte(")
			if !ok {
				continue
			}
			wire, err := strconv.Unquote(strings.TrimSuffix(quoted, ")"))
			if err != nil {
				t.Fatal(err)
			}
			count++
			var m Message
			if spent := bytesSpent(func() { Parse([]byte(wire), &m) }); spent > 4096 {
				t.Errorf("%q: %d bytes", wire, spent)
			}
		}
	}
	if count < 15 {
		t.Errorf("%d inputs in %d files", count, len(names))
	}
}
