package table_test

import (
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

var somebody = kad.NodeInfo{ID: kad.MustParseID("6a3f000000000000000000000000000000000001"), Addr: addr4(1)}

// see applies one event after another to one contact and returns it.
func see(t table.Table, events ...table.Sighting) (c table.Contact) {
	for _, s := range events {
		s.Node = somebody
		c, _ = t.Observe(s)
	}
	return c
}

func at(d time.Duration, e table.Event) table.Sighting {
	return table.Sighting{Time: epoch.Add(d), Event: e, RTT: 5 * time.Millisecond}
}

func TestState(t *testing.T) {
	const min = time.Minute
	failures := []table.Sighting{at(0, table.Failed), at(0, table.Failed), at(0, table.Failed)}
	tests := []struct {
		name   string
		events []table.Sighting
		after  time.Duration
		want   table.State
	}{
		{"mentioned", []table.Sighting{at(0, table.Mentioned)}, 0, table.StateQuestionable},
		{"asked us, never answered", []table.Sighting{at(0, table.Queried)}, 0, table.StateQuestionable},
		{"answered", []table.Sighting{at(0, table.Replied)}, 0, table.StateGood},
		{"answered 15 minutes ago", []table.Sighting{at(0, table.Replied)}, 15 * min, table.StateGood},
		{"answered longer ago", []table.Sighting{at(0, table.Replied)}, 15*min + 1, table.StateQuestionable},
		{"answered long ago, asked lately", []table.Sighting{at(0, table.Replied), at(20*min, table.Queried)}, 30 * min, table.StateGood},
		{"answered long ago, mentioned lately", []table.Sighting{at(0, table.Replied), at(20*min, table.Mentioned)}, 30 * min, table.StateQuestionable},
		{"answered later than now", []table.Sighting{at(time.Hour, table.Replied)}, 0, table.StateGood},
		{"failed twice", append(failures[:2:2], at(0, table.Mentioned)), 0, table.StateQuestionable},
		{"failed thrice", failures, 0, table.StateBad},
		{"answered, failed thrice", append([]table.Sighting{at(0, table.Replied)}, failures...), 0, table.StateBad},
		{"failed thrice, asked us", append(failures[:3:3], at(0, table.Queried)), 0, table.StateBad},
		{"failed thrice, answered", append(failures[:3:3], at(0, table.Replied)), 0, table.StateGood},
	}
	both(t, func(t *testing.T, kind string) {
		for _, test := range tests {
			tb, now := newTable(t, kind), epoch.Add(test.after)
			if got := see(tb, test.events...).State(now); got != test.want {
				t.Errorf("%s: %v, want %v", test.name, got, test.want)
			}
			for _, state := range []table.State{table.StateGood, table.StateQuestionable, table.StateBad} {
				found := tb.AppendNearest(nil, kad.ID{}, 8, table.Filter{Now: now, States: state})
				if (len(found) == 1) != (state == test.want) {
					t.Errorf("%s: a filter for %v finds %d", test.name, state, len(found))
				}
			}
		}
	})
}

// Sightings arrive in any order; a history has one.
func TestTimesNeverGoBackwards(t *testing.T) {
	late, early := at(time.Hour, table.Replied), at(0, table.Replied)
	late.Version, early.Version = []byte("new"), []byte("old")
	early.RTT = time.Second
	both(t, func(t *testing.T, kind string) {
		got := see(newTable(t, kind), late, early)
		want := table.Contact{ID: somebody.ID, Addr: somebody.Addr, FirstSeen: early.Time, LastSeen: late.Time,
			LastReply: late.Time, LastRTT: late.RTT, Replies: 2, Version: "new", Origin: table.FromReply}
		if got != want {
			t.Errorf("got\n\t%+v, want\n\t%+v", got, want)
		}
	})
}

func TestLimits(t *testing.T) {
	tb := newTable(t, "prefix")
	exact := at(0, table.Replied)
	exact.RTT = 18*time.Minute + 123456789
	if got := see(tb, exact).LastRTT; got != exact.RTT {
		t.Errorf("RTT %v, want %v", got, exact.RTT)
	}
	exact.RTT = time.Hour
	if got := see(tb, exact).LastRTT; got < 18*time.Minute || got > 19*time.Minute {
		t.Errorf("an RTT of an hour is kept as %v", got)
	}
	exact.RTT = -1
	if got := see(tb, exact).LastRTT; got != 0 {
		t.Errorf("a negative RTT is kept as %v", got)
	}
	for range 300 {
		see(tb, at(0, table.Failed))
	}
	if got := see(tb, at(0, table.Mentioned)).Failures; got != 255 {
		t.Errorf("%d failures, want 255", got)
	}
	got := see(newTable(t, "flat"), table.Sighting{Time: time.Unix(-5, 0), Event: table.Queried})
	if first := time.Unix(1, 0); !got.LastQuery.Equal(first) {
		t.Errorf("a time before 1970 is kept as %v", got.LastQuery)
	}
}

func TestStrings(t *testing.T) {
	for got, want := range map[string]string{
		table.StateGood.String(): "good", (table.StateGood | table.StateBad).String(): "good|bad",
		table.State(0).String(): "any", table.State(17).String(): "good|state(16)",
		table.FromMention.String(): "mention", table.FromImport.String(): "import",
		table.Origin(0).String(): "unknown", table.Origin(9).String(): "origin(9)",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
