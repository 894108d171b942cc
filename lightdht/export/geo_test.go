package export

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// mmdb makes a database of the MaxMind form (format 2.0) that has one map of
// texts and numbers for each of some IPv4 networks.
func mmdb(t *testing.T, rows map[string]map[string]any) string {
	t.Helper()
	type node [2]int // 0: nothing; above 0: a node; below: a row, from -1 on
	tree, data, offsets := []node{{}}, []byte{}, []int{}
	for network, row := range rows {
		prefix := netip.MustParsePrefix(network)
		offsets = append(offsets, len(data))
		data = appendMap(data, row)
		at, bits := 0, prefix.Addr().As4()
		for i := range prefix.Bits() {
			bit := bits[i/8] >> (7 - i%8) & 1
			switch {
			case i == prefix.Bits()-1:
				tree[at][bit] = -len(offsets)
			case tree[at][bit] == 0:
				tree = append(tree, node{})
				tree[at][bit] = len(tree) - 1
				at = len(tree) - 1
			default:
				at = tree[at][bit]
			}
		}
	}
	var file []byte
	for _, n := range tree {
		for _, to := range n {
			switch {
			case to == 0:
				to = len(tree)
			case to < 0:
				to = len(tree) + 16 + offsets[-to-1]
			}
			file = append(file, byte(to>>16), byte(to>>8), byte(to))
		}
	}
	file = append(append(file, make([]byte, 16)...), data...)
	file = append(file, "\xab\xcd\xefMaxMind.com"...)
	file = appendMap(file, map[string]any{
		"node_count": len(tree), "record_size": 24, "ip_version": 4, "database_type": "test", "binary_format_major_version": 2,
		"binary_format_minor_version": 0, "build_epoch": 1,
	})
	name := filepath.Join(t.TempDir(), "test.mmdb")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// appendMap appends a map: of type 7, with texts (2), numbers (6) and maps.
func appendMap(b []byte, m map[string]any) []byte {
	b = append(b, 7<<5|byte(len(m)))
	for key, value := range m {
		b = appendString(b, key)
		switch v := value.(type) {
		case string:
			b = appendString(b, v)
		case int:
			b = append(b, 6<<5|4, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
		case map[string]any:
			b = appendMap(b, v)
		}
	}
	return b
}

// appendString appends a text of at most 284 bytes.
func appendString(b []byte, s string) []byte {
	if len(s) < 29 {
		return append(append(b, 2<<5|byte(len(s))), s...)
	}
	return append(append(b, 2<<5|29, byte(len(s)-29)), s...)
}

// Country and system are those of the first database that knows them; who is in
// none has neither.
func TestGeo(t *testing.T) {
	countries := mmdb(t, map[string]map[string]any{
		"81.2.0.0/16": {"country": map[string]any{"iso_code": "GB"}},
		"82.0.0.0/8":  {"country": map[string]any{"iso_code": "FR"}},
	})
	systems := mmdb(t, map[string]map[string]any{
		"81.2.69.0/24": {"autonomous_system_number": 20712, "autonomous_system_organization": "Andrews, \"AA\"", "country": map[string]any{"iso_code": "XX"}},
	})
	geo, err := OpenGeo(countries, systems)
	if err != nil {
		t.Fatal(err)
	}
	defer geo.Close()
	contacts := table.NewFlat()
	for _, ip := range []string{"81.2.69.1", "81.2.70.1", "82.1.1.1", "9.9.9.9", "2001:db8::1"} {
		contacts.Restore(table.Contact{ID: kad.ID{1}, Addr: netip.AddrPortFrom(netip.MustParseAddr(ip), 1)})
	}
	seen, err := Source{Geo: geo, Columns: []string{"ip", "country", "asn", "as_org"}}.Seen(contacts.All())
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(lines(t, seen.Schema, seen.Rows), "\n")
	want := `ip=81.2.69.1 country="GB" asn=20712 as_org="Andrews, \"AA\"" 
ip=81.2.70.1 country="GB" asn=- as_org=- 
ip=82.1.1.1 country="FR" asn=- as_org=- 
ip=9.9.9.9 country=- asn=- as_org=- 
ip=2001:db8::1 country=- asn=- as_org=- `
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestOpenGeoRefuses(t *testing.T) {
	dir := t.TempDir()
	bad, empty := filepath.Join(dir, "bad"), filepath.Join(dir, "empty")
	os.WriteFile(bad, []byte("nothing of the kind"), 0o600)
	os.WriteFile(empty, nil, 0o600)
	none := "no database of the MaxMind form"
	for name, says := range map[string]string{bad: none, empty: none, bad + "2": "no such file", dir: "is a directory"} {
		if _, err := OpenGeo(name); err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want %q", name, err, says)
		}
	}
}

// What it adds is what tables have with one and not without.
func TestAddsColumn(t *testing.T) {
	with, without := SchemaOf(Contacts), headings(contactFields(newTexts(), nil))
	for _, c := range with {
		if got, want := AddsColumn(c.Name), !slices.Contains(without, c); got != want {
			t.Errorf("%s: got %t", c.Name, got)
		}
	}
}
