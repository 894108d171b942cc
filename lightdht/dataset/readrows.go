package dataset

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
)

// Row is a row of a run.
type Row struct {
	Run RunID
	record.Row
}

// Rows yields the rows of a kind, run by run in the order in which they were
// recorded. Sightings are those of runs that kept each; see Sightings. An error
// ends it.
func (s *Store) Rows(kind record.Kind, f Filter) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		runs, err := s.Runs()
		if err != nil {
			yield(Row{}, err)
			return
		}
		for i := range runs {
			if f.Picks(runs[i].ID) && s.readable(&runs[i]) && !s.rowsOf(&runs[i], kind, &f, yield) {
				return
			}
		}
	}
}

// rowsOf is Rows of one run; false when that is all.
func (s *Store) rowsOf(run *RunInfo, kind record.Kind, f *Filter, yield func(Row, error) bool) bool {
	files, err := dataFiles(run.dir)
	if err != nil {
		return yield(Row{}, err) && false
	}
	s.tellMissing(run, true)
	names := &names{}
	each := func(k record.Kind, body []byte) (bool, error) {
		if k != kind {
			return true, nil
		}
		fields := fields{b: body}
		row := readRow(k, &fields, names)
		if fields.bad || row == nil {
			return false, errRow
		}
		return !f.Passes(row) || yield(Row{run.ID, row}, nil), nil
	}
	for _, d := range files {
		if d.sort != sortRows {
			continue
		}
		if more, err := s.rowsOfFile(d, run, each); err != nil {
			return yield(Row{}, err) && false
		} else if !more {
			return false
		}
	}
	return true
}

// rowsOfFile is rowsIn of a file, which is open no longer than that takes.
func (s *Store) rowsOfFile(d dataFile, run *RunInfo, each func(record.Kind, []byte) (bool, error)) (bool, error) {
	r, err := openReading(run.dir, d)
	switch {
	case errors.Is(err, errNewer) || errors.Is(err, errSort):
		s.problem(fmt.Errorf("%w: left out", err))
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return true, nil // it had no whole frame, and was mended meanwhile
	case err != nil:
		return false, err
	}
	defer r.close()
	more, err := s.rowsIn(r, run, each)
	if err != nil {
		err = fmt.Errorf("%s: %w", r.name, err)
	}
	return more, err
}

// rowsIn calls each with the rows of a file, until that says that it is enough.
func (s *Store) rowsIn(r *reading, run *RunInfo, each func(record.Kind, []byte) (bool, error)) (bool, error) {
	frames := r.frames()
	for {
		_, rows, err := frames.next()
		if err == io.EOF {
			break
		} else if err != nil {
			return false, err
		}
		for f := (fields{b: rows}); len(f.b) > 0; {
			kind, body := record.Kind(f.byte()), f.text()
			if f.bad {
				return false, errRow
			}
			if more, err := each(kind, body); !more || err != nil {
				return false, err
			}
		}
	}
	for _, g := range frames.gaps {
		s.gapOf(run)(r, g)
	}
	return true, nil
}

// Passes reports whether f selects a row, whatever its run.
func (f *Filter) Passes(row record.Row) bool {
	at := StampOf(row.When())
	switch r := row.(type) {
	case *record.Sighting:
		return f.passes(r.Node, at)
	case *record.Query:
		return f.passes(r.Node, at)
	case *record.Visit:
		return f.passes(r.Node, at)
	case *record.Endpoint:
		return f.Prefix.Bits() == 0 && f.passes(kad.NodeInfo{Addr: r.Addr}, at)
	case *record.Estimate:
		return f.Prefix.Bits() == 0 && (f.Family == 0 || f.Family == r.Family) && (f.Since.IsZero() || at >= StampOf(f.Since))
	case *record.Lookup:
		of := Filter{Since: f.Since, Prefix: f.Prefix}
		return (f.Prefix.Bits() == 0 || !r.Target.Infohash) && of.passes(kad.NodeInfo{ID: r.Target.ID}, at)
	}
	return false
}
