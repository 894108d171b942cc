package lightdht

import (
	"net/netip"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

func TestTokenIsBoundToAddressAndInfohash(t *testing.T) {
	now := time.Unix(1000, 0)
	ip, infohash := netip.MustParseAddr("192.0.2.1"), kad.ID{2}
	tokens := newTokens(now)
	token := tokens.append(nil, now, ip, infohash)
	if len(token) != tokenSize || !tokens.valid(token, now, ip, infohash) {
		t.Fatalf("token %x is not valid where it was given", token)
	}
	for name, ok := range map[string]bool{
		"another address":       tokens.valid(token, now, ip.Next(), infohash),
		"the IPv6 address":      tokens.valid(token, now, netip.MustParseAddr("2001:db8::1"), infohash),
		"another infohash":      tokens.valid(token, now, ip, kad.ID{9}),
		"another node's secret": newTokens(now).valid(token, now, ip, infohash),
		"no token":              tokens.valid(nil, now, ip, infohash),
		"a part of it":          tokens.valid(token[:7], now, ip, infohash),
		"more than it":          tokens.valid(append(token[:8:8], 0), now, ip, infohash),
	} {
		if ok {
			t.Errorf("valid for %s", name)
		}
	}
}

// A token is good in its period and the one after, wherever in it it was given.
func TestTokenLifetime(t *testing.T) {
	began := time.Unix(1000, 0)
	ip, infohash := netip.MustParseAddr("192.0.2.1"), kad.ID{2}
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
		token := tokens.append(nil, began.Add(c.given), ip, infohash)
		if got := tokens.valid(token, began.Add(c.shown), ip, infohash); got != c.want {
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
	token := tokens.append(nil, now, ip, kad.ID{})
	for range 9 {
		now = now.Add(time.Minute)
		if !tokens.valid(token, now, ip, kad.ID{}) {
			t.Fatalf("not valid at %v", now)
		}
	}
	if !tokens.valid(token, now.Add(-time.Hour), ip, kad.ID{}) {
		t.Error("not valid with the clock set back")
	}
	if tokens.valid(token, now.Add(time.Minute), ip, kad.ID{}) {
		t.Error("valid after two periods")
	}
}

// Periods follow each other without a gap, whenever in them somebody comes by:
// no token is good for longer than two of them.
func TestTokenPeriodsDoNotDrift(t *testing.T) {
	const s, min = time.Second, time.Minute
	ip, infohash := netip.MustParseAddr("192.0.2.1"), kad.ID{2}
	for _, c := range []struct {
		before     []time.Duration // somebody else comes by
		given, end time.Duration   // the token, and when it is no longer good
	}{
		{nil, 7 * min, 15 * min},
		{[]time.Duration{7 * min}, 9*min + 59*s, 15 * min},
		{[]time.Duration{7 * min}, 11 * min, 20 * min},
		{[]time.Duration{9*min + 59*s}, 9*min + 59*s, 15 * min},
		{[]time.Duration{9 * min, 14 * min, 19 * min, 24 * min}, 24*min + 1*s, 30 * min},
		{[]time.Duration{61*min + 1*s}, 64 * min, 70 * min},
	} {
		began := time.Unix(1000, 0)
		for _, between := range []bool{false, true} { // whether it is shown all the time
			tokens := newTokens(began)
			for _, at := range c.before {
				tokens.append(nil, began.Add(at), ip, infohash)
			}
			token := tokens.append(nil, began.Add(c.given), ip, infohash)
			for at := c.given; between && at < c.end; at += 17 * s {
				if !tokens.valid(token, began.Add(at), ip, infohash) {
					t.Errorf("%v, given after %v: not valid after %v", c.before, c.given, at)
				}
			}
			if !tokens.valid(token, began.Add(c.end-1), ip, infohash) {
				t.Errorf("%v, given after %v: not valid just before %v", c.before, c.given, c.end)
			}
			if tokens.valid(token, began.Add(c.end), ip, infohash) {
				t.Errorf("%v, given after %v: valid at %v", c.before, c.given, c.end)
			}
		}
	}
}
