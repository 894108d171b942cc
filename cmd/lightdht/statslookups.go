package main

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/export"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/survey"
)

// walked is what a lookup that was kept found closest in one family.
type walked struct {
	run      string
	number   int64 // of the lookup in its run
	time     time.Time
	target   kad.ID // zero when it was kept as a hash
	infohash kad.ID // or its hash
	purpose  string
	family   kad.Family
	k, width int
	asked    int      // queries, in both families
	timedOut int      // or not answered when it ended
	ids      []kad.ID // nearest first
}

// lookupColumns are the columns that lookups are read from.
var lookupColumns = []string{
	"run", "lookup", "time", "target", "infohash", "purpose", "k", "width", "error", "asked", "timed_out", "silent", "id", "ip", "family", "distance",
}

// walkReader makes lookups of rows.
type walkReader struct {
	run, lookup, time, target, infohash, purpose, k, width, failed, asked, timedOut, silent, id, ip, family, distance cells
}

func newWalkReader(s export.Schema) *walkReader {
	return &walkReader{
		run: cellsOf(s, "run", export.Text), lookup: cellsOf(s, "lookup", export.Int), time: cellsOf(s, "time", export.Time),
		target: cellsOf(s, "target", export.ID), infohash: cellsOf(s, "infohash", export.Hash), purpose: cellsOf(s, "purpose", export.Text),
		k: cellsOf(s, "k", export.Int), width: cellsOf(s, "width", export.Int), failed: cellsOf(s, "error", export.Text),
		asked: cellsOf(s, "asked", export.Int), timedOut: cellsOf(s, "timed_out", export.Int), silent: cellsOf(s, "silent", export.Int),
		id: cellsOf(s, "id", export.ID), ip: cellsOf(s, "ip", export.Addr), family: cellsOf(s, "family", export.Text), distance: cellsOf(s, "distance", export.Float),
	}
}

// head reads what a row says of the lookup that it is of.
func (r *walkReader) head(b *export.Batch, i int) walked {
	w := walked{
		run: r.run.text(b, i), number: r.lookup.int(b, i), target: r.target.id(b, i),
		infohash: r.infohash.id(b, i), purpose: r.purpose.text(b, i),
		k: small(r.k.int(b, i)), width: small(r.width.int(b, i)), family: kad.IPv4,
	}
	if r.time.there(b, i) {
		w.time = time.UnixMicro(r.time.int(b, i)).UTC()
	}
	if r.asked.at >= 0 && r.timedOut.at >= 0 && r.silent.at >= 0 { // else it is not known
		w.asked = small(r.asked.int(b, i))
		w.timedOut = min(small(r.timedOut.int(b, i))+small(r.silent.int(b, i)), w.asked)
	}
	if r.family.text(b, i) == kad.IPv6.String() {
		w.family = kad.IPv6
	}
	return w
}

// add adds the node of a row to its lookup. It fails when the distance that the row
// tells is not that of its ID and target: then one of these is no such thing.
func (r *walkReader) add(b *export.Batch, i int, w *walked) error {
	if !r.id.there(b, i) {
		return nil
	}
	id := r.id.id(b, i)
	w.ids = append(w.ids, id)
	if !r.distance.there(b, i) || !r.target.there(b, i) {
		return nil
	}
	told, is := r.distance.float(b, i), w.target.Distance(id).Fraction()
	if math.Abs(told-is) > 1e-9*is {
		return fmt.Errorf("lookup %d: node %s is told to be %v from target %s, and is %v from it: the columns do not belong together", w.number, id, told, w.target, is)
	}
	return nil
}

// small returns a count of a lookup, which is no large number.
func small(n int64) int { return int(min(max(n, 0), math.MaxInt32)) }

// of reports whether a row is of a lookup and its family.
func (w *walked) of(other *walked) bool {
	return w.run == other.run && w.number == other.number && w.family == other.family
}

// lookups yields the lookups that count and ended well, one for each family that
// they went through.
func (d *data) lookups() iter.Seq2[*walked, error] {
	return func(yield func(*walked, error) bool) {
		opened := *d
		opened.source.Columns = lookupColumns
		opened.source.Filter.Family = 0 // which is not of a lookup but of what it found
		t, err := opened.table(export.Lookups)
		if err != nil {
			yield(nil, err)
			return
		}
		if d.shared() || d.rows() > 0 && t.Schema.Index("distance") < 0 {
			yield(nil, fmt.Errorf("%s has no distances, which shared data does not tell: take the store itself, or a file dumped without --share", d.name()))
			return
		}
		reader, net := newWalkReader(t.Schema), networks{}
		var now *walked
		for b, err := range t.Rows {
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range b.Len {
				if reader.failed.there(b, i) {
					continue
				}
				head := reader.head(b, i)
				if now == nil || !now.of(&head) {
					if now != nil && d.tookPart(now) && !yield(now, nil) {
						return
					}
					now = &head
				}
				if err := reader.add(b, i, now); err != nil {
					yield(nil, fmt.Errorf("%s: %w", d.name(), err))
					return
				}
				if reader.ip.there(b, i) {
					net.note(reader.ip.addr(b, i))
				}
			}
			b.Release()
		}
		if now != nil && d.tookPart(now) && !yield(now, nil) {
			return
		}
		if err := net.mixed(); err != nil && d.network() == "" {
			yield(nil, fmt.Errorf("%s: %w", d.name(), err))
		}
	}
}

// tookPart reports whether a lookup found anybody, and passes the filter: that of
// a store has let through only those that do, but for the family.
func (d *data) tookPart(w *walked) bool {
	f := &d.source.Filter
	switch {
	case len(w.ids) == 0:
	case f.Family != 0 && f.Family != w.family:
	case f.Prefix.Bits() > 0 && !f.Prefix.Contains(w.target):
	case !f.Since.IsZero() && w.time.Before(f.Since):
	case d.file != "" && f.Runs != nil && !slices.ContainsFunc(f.Runs, func(id dataset.RunID) bool { return id.String() == w.run }):
	default:
		return true
	}
	return false
}

// distancesOf returns how far the k closest of nodes are from a target, nearest
// first.
func distancesOf(ids []kad.ID, target kad.ID, k int) analysis.Distances {
	ids = slices.Clone(ids)
	slices.SortFunc(ids, target.CompareDistance)
	d := make(analysis.Distances, 0, k)
	for _, id := range ids[:min(k, len(ids))] {
		d = append(d, target.Distance(id).Fraction())
	}
	return d
}

// sampled is the lookups that an estimate of the size rests on, of one family.
type sampled struct {
	family    kad.Family
	purpose   string // of all of them: survey.Sizing, or randomPurpose, of which only one node of a /24 or /64 counts on the public network
	k, width  int
	distances []analysis.Distances
	pairs     []analysis.Pair // with lookups of the same targets that were wider
	short     int             // lookups that found fewer than k nodes, which are left out
	narrow    int             // lookups that were narrower, which are left out
	repeated  int             // lookups of a target that was looked up later, too, which say nothing new
	asked     int             // queries
	timedOut  int
	from, to  time.Time
	own       kad.ID   // our ID, zero when it is not known
	known     []kad.ID // contacts of ours that are good

	failed, dropped int // lookups that nobody answered; that were beyond what was asked for
	truth           *int
	size            analysis.SizeEstimate // pooled
	recall          float64               // NaN: not known
}

// sample takes from lookups those that an estimate can rest on: those of a survey,
// or else those of targets that were drawn at random; of the widest the latest, most
// of them.
func (d *data) sample(most int) (all []*sampled, err error) {
	var kept []*walked
	others := 0
	for w, err := range d.lookups() {
		if err != nil {
			return nil, err
		}
		others++
		if w.purpose == survey.Sizing || w.purpose == survey.Recalling || w.purpose == randomPurpose {
			kept = append(kept, w)
			others--
		}
	}
	for _, family := range []kad.Family{kad.IPv4, kad.IPv6} {
		for _, purpose := range []string{survey.Sizing, randomPurpose} {
			if s := sampleOf(kept, family, purpose, most); s != nil {
				s.truth = testnetNodes(d.network())
				all = append(all, s)
				break
			}
		}
	}
	switch {
	case len(all) > 0:
		return all, nil
	case len(kept) > 0:
		return nil, fmt.Errorf("%s: none of %s of random targets found as many nodes as it wanted, %d: the network is too small, or too few answer", d.name(), some(len(kept), "lookup"), kept[0].k)
	case len(d.chosen) > 0:
		return nil, fmt.Errorf("%s has no lookups of random targets among those that are chosen: choose others, or leave flags such as --family, --since and --run out", d.name())
	case others > 0:
		return nil, fmt.Errorf("%s has no lookups of random targets, but %d of others: lightdht stats size --live makes them, or lightdht lookup --random 256", d.name(), others)
	}
	return nil, fmt.Errorf("%s has no lookups of random targets: lightdht stats size --live makes them, or lightdht lookup --random 256", d.name())
}

// randomPurpose is the purpose of lookups of targets that were drawn at random.
const randomPurpose = "random"

// sampleOf takes the widest lookups of one purpose and family; nil when there are
// none.
func sampleOf(kept []*walked, family kad.Family, purpose string, most int) *sampled {
	s := &sampled{family: family, purpose: purpose}
	first, second := map[kad.ID]*walked{}, map[kad.ID]*walked{}
	for _, w := range kept {
		if w.family == family && w.purpose == purpose {
			s.k, s.width = max(s.k, w.k), max(s.width, w.width)
		}
	}
	for _, w := range slices.Backward(kept) {
		switch {
		case w.family != family:
		case w.purpose == survey.Recalling:
			if second[w.target] == nil {
				second[w.target] = w
			}
		case w.purpose != purpose:
		case w.k == 0:
			s.short++
		case w.k < s.k || w.width < s.width:
			s.narrow++
		case len(w.ids) < s.k:
			s.short++
		case first[w.target] != nil:
			s.repeated++
		case len(first) == most:
			s.dropped++
		default:
			s.add(w)
			first[w.target] = w
		}
	}
	slices.Reverse(s.distances)
	for target, w := range first {
		if again := second[target]; again != nil && again.width > w.width {
			s.pairs = append(s.pairs, analysis.Pair{Target: target, First: w.ids, Second: again.ids})
		}
	}
	slices.SortFunc(s.pairs, func(a, b analysis.Pair) int { return cmp.Compare(a.Target.String(), b.Target.String()) })
	if len(s.distances) == 0 {
		return nil
	}
	return s
}

// add takes a lookup in.
func (s *sampled) add(w *walked) {
	s.distances = append(s.distances, distancesOf(w.ids, w.target, s.k))
	s.asked += w.asked
	s.timedOut += w.timedOut
	if s.from.IsZero() || !w.time.IsZero() && w.time.Before(s.from) {
		s.from = w.time
	}
	if w.time.After(s.to) {
		s.to = w.time
	}
}
