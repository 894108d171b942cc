package export

import (
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"modernc.org/sqlite/vtab"
)

// sqliteBatches is the name of the virtual table, and of what makes it.
const sqliteBatches = "lightdht_batches"

// sqliteTime is RFC 3339 with microseconds, in UTC.
const sqliteTime = "2006-01-02T15:04:05.000000Z"

// sqliteRows is a batch as the values that SQLite takes, by columns. Two of them go
// round between Write, which fills them, and the statement, which reads them; each
// owns those that it has.
type sqliteRows struct {
	rows  int
	cells [][]driver.Value
	text  []byte
}

func newSQLiteRows(s Schema) *sqliteRows { return &sqliteRows{cells: make([][]driver.Value, len(s))} }

// fill takes the values of b over; times are texts, or numbers with micros.
func (r *sqliteRows) fill(b *Batch, micros bool) {
	r.rows = b.Len
	for i := range r.cells {
		r.cells[i] = r.cells[i][:0]
		v := &b.Cols[i]
		for row, absent := range v.Null[:b.Len] {
			if absent {
				r.cells[i] = append(r.cells[i], nil)
				continue
			}
			r.cells[i] = append(r.cells[i], r.value(v, row, micros))
		}
	}
}

// value returns a value that is there. IDs are texts: people look for them, and can
// neither read nor type blobs.
func (r *sqliteRows) value(v *Vector, row int, micros bool) driver.Value {
	switch v.Type {
	case ID, Hash:
		r.text = hex.AppendEncode(r.text[:0], v.IDs[row][:])
	case Addr:
		r.text = v.Addrs[row].AppendTo(r.text[:0])
	case Text:
		return v.Texts[row]
	case Float:
		return v.Floats[row]
	case Time:
		if micros {
			return v.Ints[row]
		}
		r.text = time.UnixMicro(v.Ints[row]).UTC().AppendFormat(r.text[:0], sqliteTime)
	default:
		return v.Ints[row]
	}
	return string(r.text)
}

// sqliteSource is a virtual table that can be read once: the rows that come through
// full, until that is closed. Only the statement that reads it touches it.
type sqliteSource struct {
	columns    int
	full, free chan *sqliteRows

	now   *sqliteRows // nil after the last
	row   int
	rowid int64
}

// What vtab asks for: one cursor, which is the table itself, without an index.

func (s *sqliteSource) Open() (vtab.Cursor, error)             { return s, nil }
func (s *sqliteSource) BestIndex(*vtab.IndexInfo) error        { return nil }
func (s *sqliteSource) Disconnect() error                      { return nil }
func (s *sqliteSource) Destroy() error                         { return nil }
func (s *sqliteSource) Close() error                           { return nil }
func (s *sqliteSource) Eof() bool                              { return s.now == nil }
func (s *sqliteSource) Rowid() (int64, error)                  { return s.rowid, nil }
func (s *sqliteSource) Column(i int) (vtab.Value, error)       { return s.now.cells[i][s.row], nil }
func (s *sqliteSource) Filter(int, string, []vtab.Value) error { return s.next() }

// Next goes to the next row.
func (s *sqliteSource) Next() error {
	s.row++
	s.rowid++
	if s.row < s.now.rows {
		return nil
	}
	s.free <- s.now
	return s.next()
}

// next takes the next batch that is not empty. It waits for Write, which is where
// the statement spends its time when SQLite is the faster one.
func (s *sqliteSource) next() error {
	s.row = 0
	for s.now = range s.full {
		if s.now.rows > 0 {
			return nil
		}
		s.free <- s.now
	}
	s.now = nil
	return nil
}

// sqliteSources gives each statement its source, by a number in the arguments of the virtual
// table.
type sqliteSources struct {
	mu      sync.Mutex
	sources map[string]*sqliteSource
	last    int
}

var sqliteFeed sqliteSources

// add returns the number of a source, which stands until drop.
func (f *sqliteSources) add(s *sqliteSource) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	name := strconv.Itoa(f.last)
	if f.sources == nil {
		f.sources = make(map[string]*sqliteSource)
	}
	f.sources[name] = s
	return name
}

func (f *sqliteSources) drop(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.sources, name)
}

// Create makes the virtual table that its last argument names. The names of its
// columns do not matter.
func (f *sqliteSources) Create(ctx vtab.Context, args []string) (vtab.Table, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.sources[args[len(args)-1]]
	if s == nil {
		return nil, fmt.Errorf("no batches %q", args)
	}
	names := make([]string, s.columns)
	for i := range names {
		names[i] = "c" + strconv.Itoa(i)
	}
	return s, ctx.Declare("CREATE TABLE batches (" + strings.Join(names, ", ") + ")")
}

// Connect is Create: the table is a temporary one.
func (f *sqliteSources) Connect(ctx vtab.Context, args []string) (vtab.Table, error) {
	return f.Create(ctx, args)
}
