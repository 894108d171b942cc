package table_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/table"
)

// What a table cannot hold is brought to the nearest that it can.
func TestRestoreClamps(t *testing.T) {
	first, last := time.Unix(1, 0).UTC(), time.Unix(math.MaxUint32, 0).UTC()
	low := table.Contact{ID: somebody.ID, Addr: somebody.Addr, LastQuery: time.Unix(-1, 0), LastReply: time.Unix(math.MinInt64, 0),
		Failures: -1, LastRTT: -1}
	high := table.Contact{ID: somebody.ID, Addr: somebody.Addr, FirstSeen: last.AddDate(1, 0, 0), LastSeen: time.Unix(math.MaxInt64, 0),
		Failures: 1e9, LastRTT: math.MaxInt64, Version: strings.Repeat("v", 65), Origin: 255}
	both(t, func(t *testing.T, kind string) {
		tb := newTable(t, kind)
		tb.Restore(table.Contact{})
		if !tb.Restore(low) || tb.Restore(high) {
			t.Error("added is wrong")
		}
		want := table.Contact{ID: somebody.ID, Addr: somebody.Addr, FirstSeen: last, LastSeen: last, Failures: 255,
			LastRTT: 1<<40 - 1, Version: high.Version[:64], Origin: 255}
		if got, _ := tb.Get(somebody); got != want {
			t.Errorf("high: got\n\t%+v, want\n\t%+v", got, want)
		}
		tb.Restore(low)
		want = table.Contact{ID: somebody.ID, Addr: somebody.Addr, FirstSeen: first, LastSeen: first, LastQuery: first, LastReply: first}
		if got, _ := tb.Get(somebody); got != want {
			t.Errorf("low: got\n\t%+v, want\n\t%+v", got, want)
		}
		if got := tb.Drops().VersionsCut; got != 1 {
			t.Errorf("%d versions cut, want 1", got)
		}
	})
}
