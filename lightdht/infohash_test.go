package lightdht_test

import (
	"strings"
	"testing"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
)

const (
	hash1  = "631a31dd0a46257d5078c0dee4e66e26f73e42ac"
	base1  = "MMNDDXIKIYSX2UDYYDPOJZTOE33T4QVM"
	hash2  = "d8dd32ac93357c368556af3ac1d95c9d76bd0dff6fa9833ecdac3d53134efabb"
	other1 = "0123456789abcdef0123456789abcdef01234567"
)

func TestParseInfohash(t *testing.T) {
	for in, want := range map[string]string{
		hash1:                          hash1,
		strings.ToUpper(hash1):         hash1,
		"  " + hash1 + "\n":            hash1,
		base1:                          hash1,
		strings.ToLower(base1):         hash1,
		hash2:                          hash2[:40],
		"1220" + hash2:                 hash2[:40],
		"magnet:?xt=urn:btih:" + hash1: hash1,
		"MAGNET:?xt=URN:BTIH:" + strings.ToUpper(hash1):                          hash1,
		"magnet:?xt=urn:btih:" + base1:                                           hash1,
		"magnet:?dn=name&xt=urn:btih:" + hash1 + "&tr=udp":                       hash1,
		"magnet:?dn=a&amp;xt=urn:btih:" + hash1 + "&amp;tr=udp":                  hash1,
		"magnet:?xt=urn%3Abtih%3A" + hash1:                                       hash1,
		"magnet:?xt.1=urn:btih:" + hash1:                                         hash1,
		"magnet:?xt=urn:sha1:" + base1 + "&xt=urn:btih:" + hash1:                 hash1,
		"magnet:?xt=urn:btmh:1220" + hash2:                                       hash2[:40],
		"magnet:?xt=urn:btmh:1220" + hash2 + "&xt=urn:btih:" + hash1:             hash1, // v1 counts
		"magnet:?xt.1=urn:btmh:1220" + hash2 + "&xt.2=urn:btih:" + hash1:         hash1,
		"magnet:?xt=urn:btih:" + hash1 + "&xt=urn:btih:" + other1:                hash1, // the first counts
		"magnet:?xt.2=urn:btih:" + other1 + "&xt.1=urn:btih:" + hash1:            hash1, // by number
		"magnet:?xt=urn:btih:" + hash1 + "&dn=a+b&tr=udp%3A%2F%2Ft.test%3A80%2F": hash1,
	} {
		for range 20 { // whatever order a map is walked in
			if got, err := lightdht.ParseInfohash(in); err != nil || got.String() != want {
				t.Errorf("%s: %s, %v, want %s", in, got, err, want)
				break
			}
		}
	}
}

func TestParseInfohashErrors(t *testing.T) {
	for _, in := range []string{
		"", " ", "spam", hash1[:39], hash1 + "0", strings.Replace(hash1, "6", "g", 1), hash2[:63],
		base1[:31], base1[:31] + "=", base1[:31] + "\n2", base1[:16] + "\n" + base1[:15], strings.Replace(base1, "M", "1", 1), "1221" + hash2, "1120" + hash2,
		"magnet:", "magnet:?", "magnet:?dn=name", "magnet:?xt=", "magnet:?xt=urn:btih:", "magnet:?xt=urn:btih:spam",
		"magnet:?xt=urn:sha1:" + base1, "magnet:?xtra=urn:btih:" + hash1, "magnet:?xt=urn:btih:%zz",
		"http://x.test/?xt=urn:btih:" + hash1, strings.Repeat("x", 10000), "magnet:?xt=urn:btih:magnet:",
	} {
		if got, err := lightdht.ParseInfohash(in); err == nil {
			t.Errorf("%q is %s", in, got)
		} else if len(err.Error()) > 300 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
	}
}

// Whatever is read, it is read in its canonical form too, and nothing panics.
func FuzzParseInfohash(f *testing.F) {
	for _, s := range []string{
		hash1, base1, hash2, "1220" + hash2, "magnet:?xt=urn:btih:" + hash1, "magnet:?xt=urn:btmh:1220" + hash2,
		"magnet:?xt.1=urn:btih:" + base1 + "&dn=x", "magnet:?xt=urn:btih:magnet:?xt=urn:btih:" + hash1, "magnet:?%", "", "\xff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := lightdht.ParseInfohash(s)
		if err != nil {
			if id != (kad.ID{}) || len(err.Error()) > 500+4*len(s) {
				t.Errorf("%q: %s besides %v", s, id, err)
			}
			return
		}
		for _, form := range []string{id.String(), "magnet:?xt=urn:btih:" + id.String(), " " + strings.ToUpper(id.String()) + " "} {
			if again, err := lightdht.ParseInfohash(form); err != nil || again != id {
				t.Errorf("%q is %s; %q is %s, %v", s, id, form, again, err)
			}
		}
		if again, err := lightdht.ParseInfohash(s); again != id || err != nil {
			t.Errorf("%q is %s, and then %s, %v", s, id, again, err)
		}
	})
}
