package memory

import (
	"context"
	"errors"
	"testing"
	"time"
)

// Every contest has a figure for each, twice, and the first is lightdht's.
func TestContests(t *testing.T) {
	all := contests(300, time.Millisecond)
	seen := map[string]bool{}
	for range 2 {
		for _, c := range all {
			seen[c.Name] = true
			if len(c.Entrants) != 2 || c.Entrants[0].Name != lightName || c.Entrants[1].Name != otherName || c.Unit == "" {
				t.Fatalf("%q is between %+v", c.Name, c.Entrants)
			}
			for _, e := range c.Entrants {
				if figure, note, err := e.Run(t.Context()); err != nil || figure <= 0 || e.Skip != "" || note == "" && c.Unit != "contacts" {
					t.Errorf("%s: %s has %v %s, %q, %v", c.Name, e.Name, figure, c.Unit, note, err)
				}
			}
		}
	}
	if len(seen) != len(all) || len(all) != 12 {
		t.Errorf("%d names for %d contests, want 12", len(seen), len(all))
	}
}

// What takes time ends with its context.
func TestContestsEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	all := contests(300, time.Millisecond)
	for _, c := range all {
		for _, e := range c.Entrants {
			e.Run(ctx)
		}
	}
	cancel()
	for _, c := range all {
		for _, e := range c.Entrants {
			if _, _, err := e.Run(ctx); (c.Unit == "ns" || c.Unit == "1/s") && !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %s goes on: %v", c.Name, e.Name, err)
			}
		}
	}
}

func TestContacts(t *testing.T) {
	if n := newOffer(70000); n.asker().Addr.String() != "10.1.0.0:6881" {
		t.Errorf("the first is %v", n.asker())
	}
	seen := map[string]bool{}
	for c := range newOffer(70000).contacts() {
		seen[c.Addr.String()], seen[c.ID.String()] = true, true
	}
	if len(seen) != 140000 {
		t.Errorf("70,000 contacts have %d IDs and addresses", len(seen))
	}
}

func TestShort(t *testing.T) {
	for n, want := range map[int]string{1_000_000: "1 M", 1000: "1 k", 50_000: "50 k", 1234: "1234", 1_500_000: "1500 k", 7: "7"} {
		if got := short(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestDefault(t *testing.T) {
	all, million := Contests(0), Contests(1_000_000)
	if all[4].Name != million[4].Name || all[4].Name == Contests(2000)[4].Name {
		t.Errorf("%q, %q", all[4].Name, million[4].Name)
	}
}
