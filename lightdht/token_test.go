package lightdht

import (
	"net/netip"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

func TestTokenIsBoundToAddressIDAndInfohash(t *testing.T) {
	now := time.Unix(1000, 0)
	ip, id, infohash := netip.MustParseAddr("192.0.2.1"), kad.ID{1}, kad.ID{2}
	tokens := newTokens(now)
	token := tokens.append(nil, now, ip, id, infohash)
	if len(token) != tokenSize || !tokens.valid(token, now, ip, id, infohash) {
		t.Fatalf("token %x is not valid where it was given", token)
	}
	for name, ok := range map[string]bool{
		"another address":                       tokens.valid(token, now, ip.Next(), id, infohash),
		"the IPv6 address":                      tokens.valid(token, now, netip.MustParseAddr("2001:db8::1"), id, infohash),
		"another ID":                            tokens.valid(token, now, ip, kad.ID{9}, infohash),
		"another infohash":                      tokens.valid(token, now, ip, id, kad.ID{9}),
		"ID and infohash in each other's place": tokens.valid(token, now, ip, infohash, id),
		"another node's secret":                 newTokens(now).valid(token, now, ip, id, infohash),
		"no token":                              tokens.valid(nil, now, ip, id, infohash),
		"a part of it":                          tokens.valid(token[:7], now, ip, id, infohash),
		"more than it":                          tokens.valid(append(token[:8:8], 0), now, ip, id, infohash),
	} {
		if ok {
			t.Errorf("valid for %s", name)
		}
	}
}

// A token is good in its period and the one after, wherever in it it was given.
func TestTokenLifetime(t *testing.T) {
	began := time.Unix(1000, 0)
	ip, id, infohash := netip.MustParseAddr("192.0.2.1"), kad.ID{1}, kad.ID{2}
	for _, c := range []struct {
		given, shown time.Duration
		want         bool
	}{
		{0, 0, true},
		{0, 5 * time.Minute, true},
		{0, 10*time.Minute - 1, true},
		{0, 10 * time.Minute, false},
		{0, 15 * time.Minute, false},
		{0, 20 * time.Minute, false},
		{5*time.Minute - 1, 10*time.Minute - 1, true},
		{5*time.Minute - 1, 10 * time.Minute, false},
		{5 * time.Minute, 15*time.Minute - 1, true},
		{7 * time.Hour, 7*time.Hour + 5*time.Minute, true},
		{7 * time.Hour, 7*time.Hour + 10*time.Minute, false},
		{0, 365 * 24 * time.Hour, false},
	} {
		tokens := newTokens(began)
		token := tokens.append(nil, began.Add(c.given), ip, id, infohash)
		if got := tokens.valid(token, began.Add(c.shown), ip, id, infohash); got != c.want {
			t.Errorf("given after %v, shown after %v: valid is %v", c.given, c.shown, got)
		}
	}
}

// Busy nodes rotate step by step, quiet ones at once; and a clock that is set
// back ends no token.
func TestTokenRotationStepByStep(t *testing.T) {
	now := time.Unix(1000, 0)
	ip := netip.MustParseAddr("192.0.2.1")
	tokens := newTokens(now)
	token := tokens.append(nil, now, ip, kad.ID{}, kad.ID{})
	for range 9 {
		now = now.Add(time.Minute)
		if !tokens.valid(token, now, ip, kad.ID{}, kad.ID{}) {
			t.Fatalf("not valid at %v", now)
		}
	}
	if !tokens.valid(token, now.Add(-time.Hour), ip, kad.ID{}, kad.ID{}) {
		t.Error("not valid with the clock set back")
	}
	if tokens.valid(token, now.Add(time.Minute), ip, kad.ID{}, kad.ID{}) {
		t.Error("valid after two periods")
	}
}
