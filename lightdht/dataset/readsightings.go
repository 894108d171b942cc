package dataset

import (
	"iter"

	"github.com/lightdht/lightdht/lightdht/record"
)

// Sighting is one sighting, or several of a contact that were counted together.
type Sighting struct {
	Run  RunID
	Kept *record.Sighting // the one, when the run kept each; else nil
	Tally
}

// Sightings yields the sightings of runs that kept each, and of others the tallies
// as they are kept: one for a contact in each file. An error ends it.
func (s *Store) Sightings(f Filter) iter.Seq2[*Sighting, error] {
	return func(yield func(*Sighting, error) bool) {
		runs, err := s.Runs()
		if err != nil {
			yield(nil, err)
			return
		}
		for i := range runs {
			if f.Picks(runs[i].ID) && s.readable(&runs[i]) && !s.sightingsOf(&runs[i], &f, yield) {
				return
			}
		}
	}
}

// sightingsOf is Sightings of one run; false when that is all.
func (s *Store) sightingsOf(run *RunInfo, f *Filter, yield func(*Sighting, error) bool) bool {
	if run.Manifest != nil && run.Manifest.KeepSightings {
		return s.rowsOf(run, record.KindSighting, f, func(r Row, err error) bool {
			if err != nil {
				return yield(nil, err)
			}
			kept := r.Row.(*record.Sighting)
			one := Sighting{Run: r.Run, Kept: kept, Tally: Tally{Node: kept.Node}}
			one.add(kept, string(kept.Version))
			return yield(&one, nil)
		})
	}
	all, err := s.runCursors(run, f, &names{})
	m := newMerged(all)
	defer m.close()
	for _, c := range all {
		for err == nil {
			var t *Tally
			if t, err = c.next(); t == nil {
				break
			}
			if f.passes(t.Node, t.Seen()) && !yield(&Sighting{Run: run.ID, Tally: *t}, nil) {
				return false
			}
		}
	}
	if err != nil {
		return yield(nil, err) && false
	}
	s.reportGaps(all)
	return true
}
