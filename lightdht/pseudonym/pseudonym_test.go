package pseudonym

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// testSecret is random enough, and the same in each run.
func testSecret(n byte) []byte {
	secret := sha256.Sum256([]byte{n})
	return secret[:]
}

func testKey(t testing.TB, n byte) *Key {
	t.Helper()
	key, err := ParseKey(testSecret(n))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// standIns are those of five values, in words.
func standIns(k *Key) [5]string {
	id := kad.MustParseID("5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401")
	return [5]string{
		k.Addr(netip.MustParseAddr("192.0.2.1")).String(),
		k.Addr(netip.MustParseAddr("2001:db8::1")).String(),
		k.ID(id).String(),
		k.Hash(id).String(),
		k.Text("aoeusnth"),
	}
}

// Data that is shared today is joined with data of next year: what stands for
// what never changes.
func TestStandInsStay(t *testing.T) {
	key, err := ParseKey([]byte("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"))
	if err != nil {
		t.Fatal(err)
	}
	want := [5]string{
		"68.220.237.115",
		"5288:c3df:908c:e9f2:e11b:ff4:9b20:e850",
		"e52fc9f881d7adab6b18830262546e82e461c99b",
		"f368612a8fecffe82af8a9d8fa5ec7e7e156be28",
		"784498bfa4a8bd3396c8994d83af7ceb",
	}
	if got := standIns(key); got != want {
		t.Errorf("the stand-ins are\n%s\nwant\n%s", strings.Join(got[:], "\n"), strings.Join(want[:], "\n"))
	}
	if got, want := key.Fingerprint(), "6da17ce98caf5d5d"; got != want {
		t.Errorf("the fingerprint is %s, want %s", got, want)
	}
}

func TestKeysAreUnrelated(t *testing.T) {
	seen := map[string]byte{}
	for n := range byte(20) {
		key := testKey(t, n)
		all := standIns(key)
		for _, s := range append(all[:], key.Fingerprint()) {
			if other, ok := seen[s]; ok {
				t.Errorf("keys %d and %d both have %s", other, n, s)
			}
			seen[s] = n
		}
	}
}

func TestPurposesHaveKeysOfTheirOwn(t *testing.T) {
	key := testKey(t, 1)
	id := kad.ID{1}
	hash, text := key.Hash(id).String(), key.Text(string(id[:]))
	if hash[:32] == text {
		t.Error("hashes and texts have one key")
	}
	if key.four.pan.pad == key.six.pan.pad {
		t.Error("the families have one key")
	}
	if b := testSecret(1); strings.Contains(hex.EncodeToString(b), key.Fingerprint()) {
		t.Error("the fingerprint is a piece of the key")
	}
}

func TestHashAndTextAreHMAC(t *testing.T) {
	key, secret := testKey(t, 1), testSecret(1)
	sum := func(purpose, message string) []byte {
		sub := derive(secret, purpose)
		mac := hmac.New(sha256.New, sub[:])
		mac.Write([]byte(message))
		return mac.Sum(nil)
	}
	for _, s := range []string{"", "a", strings.Repeat("long", 100), "a"} {
		if got, want := key.Text(s), hex.EncodeToString(sum("texts", s)[:16]); got != want {
			t.Errorf("%q is %s, want %s", s, got, want)
		}
	}
	for _, id := range []kad.ID{{}, {1}, {19: 1}} {
		if got, want := key.Hash(id), kad.ID(sum("hashes", string(id[:]))[:20]); got != want {
			t.Errorf("%v is %v, want %v", id, got, want)
		}
	}
}

func TestParseKey(t *testing.T) {
	digits := hex.EncodeToString(testSecret(1))
	name := testKey(t, 1).Fingerprint()
	for _, same := range []string{digits, digits + "\n", " \t" + strings.ToUpper(digits) + "\r\n", string(testSecret(1))} {
		if key, err := ParseKey([]byte(same)); err != nil {
			t.Errorf("%q: %v", same, err)
		} else if got := key.Fingerprint(); got != name {
			t.Errorf("%q is key %s, want %s", same, got, name)
		}
	}
	long := append(testSecret(1), '\n')
	if key, err := ParseKey(long); err != nil || key.Fingerprint() == name {
		t.Errorf("a byte more is no other key: %v", err)
	}
}

func TestParseKeyRefuses(t *testing.T) {
	digits := hex.EncodeToString(testSecret(1))
	for _, c := range []struct{ content, want string }{
		{"", "the key is empty"},
		{" \n", "the key is empty"},
		{"secret", "a key has 64 hex digits or at least 32 bytes, not 6 bytes"},
		{string(testSecret(1)[:31]), "not 31 bytes"},
		{digits[1:], "a key in hex has 64 digits, not 63"},
		{digits[:40], "a key in hex has 64 digits, not 40"},
		{digits + "0", "a key in hex has 64 digits, not 65"},
		{strings.Repeat("0", 64), "a key is random, not of 1 different bytes"},
		{strings.Repeat("\x00", 32), "a key is random, not of 1 different bytes"},
		{strings.Repeat("change!", 10), "a key is random, not of 7 different bytes"},
	} {
		key, err := ParseKey([]byte(c.content))
		if err == nil || key != nil {
			t.Errorf("%q is a key", c.content)
			continue
		}
		if text := err.Error(); !strings.Contains(text, c.want) || !strings.HasSuffix(text, "; make one with: openssl rand -hex 32 > FILE") {
			t.Errorf("%q: %s", c.content, text)
		} else if len(c.content) > 5 && strings.Contains(text, strings.TrimSpace(c.content)) {
			t.Errorf("the error gives the key away: %s", text)
		}
	}
}

// Whoever passes a key keeps his bytes, and may wipe them.
func TestParseKeyKeepsNothing(t *testing.T) {
	want := standIns(testKey(t, 1))
	for _, content := range [][]byte{testSecret(1), []byte(hex.EncodeToString(testSecret(1)))} {
		before := bytes.Clone(content)
		key, err := ParseKey(content)
		if err != nil || !bytes.Equal(content, before) {
			t.Fatalf("%v, or the bytes were changed", err)
		}
		clear(content)
		if got := standIns(key); got != want {
			t.Errorf("the stand-ins are %v, want %v", got, want)
		}
	}
}

func TestManyGoroutines(t *testing.T) {
	want := standIns(testKey(t, 1))
	key := testKey(t, 1)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				if got := standIns(key); got != want {
					t.Errorf("the stand-ins are %v, want %v", got, want)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops things at random under the race detector")
	}
	key := testKey(t, 1)
	id := kad.ID{1}
	four, six := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	for name, f := range map[string]func(){
		"an ID":           func() { id = key.ID(id) },
		"a hash":          func() { id = key.Hash(id) },
		"an IPv4 address": func() { four = key.Addr(four) },
		"an IPv6 address": func() { six = key.Addr(six) },
	} {
		if n := testing.AllocsPerRun(1000, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}
