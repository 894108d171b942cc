package lightdht

import (
	"math"
	"testing"
	"time"
)

func TestLimitsDefaults(t *testing.T) {
	public := Limits{PerAddr: 4, PerZone: 32, Total: 500, Inbound: 200, BanFor: 5 * time.Minute, Ledger: 1_000_000}
	own := Limits{PerAddr: 1, PerZone: 2, Total: 3, Inbound: 4, BanFor: 5, Ledger: 6}
	none := Limits{PerAddr: -1, PerZone: -1, Total: -1, Inbound: -1, BanFor: 5 * time.Minute, Ledger: -1}
	for _, c := range []struct{ in, public, private Limits }{
		{Limits{}, public, Limits{BanFor: 5 * time.Minute}},
		{own, own, own},
		{none, none, none},
	} {
		if got := c.in.withDefaults(true); got != c.public {
			t.Errorf("%+v on the public network: %+v", c.in, got)
		}
		if got := c.in.withDefaults(false); got != c.private {
			t.Errorf("%+v on a private one: %+v", c.in, got)
		}
	}
}

func TestAnswerShare(t *testing.T) {
	for total, want := range map[int]int{-1: 0, 0: 0, 1: 1, 2: 1, 3: 2, 4: 3, 5: 3, 7: 5, 500: 375, math.MaxInt: math.MaxInt/4*3 + 2} {
		if got := answerShare(total); got != want {
			t.Errorf("%d of %d, want %d", got, total, want)
		}
	}
}
