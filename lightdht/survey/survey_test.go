package survey_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/lightdht/survey"
	"github.com/lightdht/lightdht/lightdht/testnet"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// diary keeps the lookups that a node tells of.
type diary struct {
	mu      sync.Mutex
	lookups []record.Lookup
}

func (d *diary) Record(row record.Row) {
	if l, ok := row.(*record.Lookup); ok {
		d.mu.Lock()
		d.lookups = append(d.lookups, *l)
		d.mu.Unlock()
	}
}

// purposes counts the lookups by why they were made, but for the node's own.
func (d *diary) purposes() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := map[string]int{}
	for _, l := range d.lookups {
		if l.Purpose != "self" && l.Purpose != "survey" {
			all[l.Purpose]++
		}
	}
	return all
}

// inNetwork runs f beside a network in memory, with a node that knows how to
// begin and keeps a diary.
func inNetwork(t *testing.T, nodes int, f func(t *testing.T, net *testnet.Net, node *lightdht.Node, d *diary)) {
	synctest.Test(t, func(t *testing.T) {
		var memory testnet.Memory
		net, err := testnet.Start(t.Context(), testnet.Config{Nodes: nodes, Seed: 7, Memory: &memory})
		if err != nil {
			t.Fatal(err)
		}
		defer net.Close()
		conn, err := memory.Listen(netip.MustParseAddrPort("10.99.0.1:6881"))
		if err != nil {
			t.Fatal(err)
		}
		d := &diary{}
		node, err := lightdht.Listen("", lightdht.Config{Conn4: conn, Bootstrap: net.Bootstrap(), Recorder: d})
		if err != nil {
			t.Fatal(err)
		}
		defer node.Close()
		f(t, net, node, d)
	})
}

func source() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// Every lookup finds the true closest, and a second one of some does, too.
func TestTargetsFindsTheClosest(t *testing.T) {
	inNetwork(t, 300, func(t *testing.T, net *testnet.Net, node *lightdht.Node, d *diary) {
		targets := survey.Random(source(), 40)
		told := 0
		found, err := survey.Targets(t.Context(), node, targets, survey.Config{Again: 10, Done: func(res *lightdht.LookupResult, err error) bool {
			told++
			return err == nil && res != nil
		}})
		if err != nil || len(found.Results) != 40 || len(found.Second) != 10 || found.Failed != 0 || told != 50 {
			t.Fatalf("%d results, %d second ones, %d failed, %d told: %v", len(found.Results), len(found.Second), found.Failed, told, err)
		}
		for i, res := range found.Results {
			var want []kad.ID
			for _, info := range net.Closest(targets[i], 8) {
				want = append(want, info.ID)
			}
			if got := survey.Closest(res, kad.IPv4, 8); res.Target != targets[i] || !slices.Equal(got, want) {
				t.Errorf("lookup %d of %s found %v, want %v", i, res.Target, got, want)
			}
		}
		all := found.Distances(kad.IPv4)
		if f := found.Families(); !slices.Equal(f, []kad.Family{kad.IPv4}) || len(all) != 40 || found.Distances(kad.IPv6) != nil {
			t.Errorf("families %v, %d distances", f, len(all))
		}
		last := net.Closest(targets[3], 8)[7].ID
		if want := targets[3].Distance(last).Fraction(); len(all[3]) != 8 || all[3][7] != want || !slices.IsSorted(all[3]) {
			t.Errorf("distances %v, the last should be %v", all[3], want)
		}
		pairs := found.Pairs(kad.IPv4)
		if len(pairs) != 10 || pairs[1].Target != targets[4] || !slices.Equal(pairs[1].First, pairs[1].Second) || len(pairs[1].First) != 8 {
			t.Errorf("pairs %v", pairs)
		}
		if got := d.purposes(); len(got) != 2 || got[survey.Sizing] != 40 || got[survey.Recalling] != 10 {
			t.Errorf("the recorder was told of %v", got)
		}
		if l := d.lookups[len(d.lookups)-1]; l.Width != 2*survey.DefaultWidth || l.K != 8 {
			t.Errorf("the second lookups had width %d and k %d", l.Width, l.K)
		}
	})
}

// Infohashes are asked for as such, and recorded as such.
func TestTargetsThatAreInfohashes(t *testing.T) {
	inNetwork(t, 50, func(t *testing.T, _ *testnet.Net, node *lightdht.Node, d *diary) {
		cfg := survey.Config{Peers: true, Purpose: survey.Around, Again: -1, Width: 12}
		found, err := survey.Targets(t.Context(), node, survey.Random(source(), 2), cfg)
		if err != nil || len(found.Results) != 2 || found.Second != nil || found.Width != 12 {
			t.Fatalf("%+v: %v", found, err)
		}
		if got := d.purposes(); got[survey.Around] != 2 || len(got) != 1 {
			t.Errorf("the recorder was told of %v", got)
		}
		if l := d.lookups[len(d.lookups)-1]; !l.Target.Infohash || !l.Peers {
			t.Errorf("%+v is not of an infohash", l)
		}
	})
}

// A survey that Done ends has what was found until then, and no error; one whose
// context ends has that.
func TestTargetsEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end  bool // by Done
		want error
	}{"done": {true, nil}, "context": {false, context.Canceled}} {
		t.Run(name, func(t *testing.T) {
			inNetwork(t, 100, func(t *testing.T, _ *testnet.Net, node *lightdht.Node, _ *diary) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				n := 0
				found, err := survey.Targets(ctx, node, survey.Random(source(), 500), survey.Config{AtATime: 4, Done: func(*lightdht.LookupResult, error) bool {
					if n++; n < 10 {
						return true
					}
					if !c.end {
						cancel()
					}
					return !c.end
				}})
				if !errors.Is(err, c.want) || c.want == nil && err != nil {
					t.Errorf("error %v, want %v", err, c.want)
				}
				if got := len(found.Results); got < 10 || got > 14 || found.Second != nil || found.Failed != 0 {
					t.Errorf("%d results, %d second ones, %d failed", got, len(found.Second), found.Failed)
				}
			})
		})
	}
}

// Lookups that nobody answers, since all nodes left, are counted apart.
func TestTargetsThatFail(t *testing.T) {
	inNetwork(t, 20, func(t *testing.T, net *testnet.Net, node *lightdht.Node, _ *diary) {
		done := 0
		found, err := survey.Targets(t.Context(), node, survey.Random(source(), 8), survey.Config{AtATime: 1, Again: -1, Done: func(*lightdht.LookupResult, error) bool {
			if done++; done == 5 {
				for _, n := range slices.Clone(net.Nodes()) {
					if err := net.Leave(n); err != nil {
						t.Error(err)
					}
				}
			}
			return true
		}})
		if err != nil || len(found.Results) != 5 || found.Failed != 3 || found.Err == nil {
			t.Errorf("%d results, %d failed (%v): %v", len(found.Results), found.Failed, found.Err, err)
		}
	})
}

// Nobody to begin with is an error at once.
func TestTargetsWithoutBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var memory testnet.Memory
		conn, err := memory.Listen(netip.MustParseAddrPort("10.99.0.1:6881"))
		if err != nil {
			t.Fatal(err)
		}
		node, err := lightdht.Listen("", lightdht.Config{Conn4: conn, Bootstrap: []string{"10.99.0.2:1"}})
		if err != nil {
			t.Fatal(err)
		}
		defer node.Close()
		found, err := survey.Targets(t.Context(), node, survey.Random(source(), 3), survey.Config{})
		if err == nil || len(found.Results) > 0 {
			t.Errorf("%+v: %v", found, err)
		}
	})
}

// Distances leave out lookups that found fewer than K.
func TestDistancesOfFewNodes(t *testing.T) {
	inNetwork(t, 5, func(t *testing.T, _ *testnet.Net, node *lightdht.Node, _ *diary) {
		found, err := survey.Targets(t.Context(), node, survey.Random(source(), 3), survey.Config{})
		if err != nil || len(found.Results) != 3 || len(found.Distances(kad.IPv4)) != 0 {
			t.Errorf("%d results, %d of them with 8 nodes: %v", len(found.Results), len(found.Distances(kad.IPv4)), err)
		}
	})
}

// Random targets are as many as asked for and all different.
func TestRandom(t *testing.T) {
	all := survey.Random(source(), 1000)
	slices.SortFunc(all, kad.ID.Compare)
	if all = slices.Compact(all); len(all) != 1000 {
		t.Errorf("%d targets of 1000 are distinct", len(all))
	}
}
