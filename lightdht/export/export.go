// Package export hands rows over in the forms that other programs read: CSV,
// NDJSON, JSON and text, Parquet, SQLite, GraphML and edge lists, and reads back
// those that keep all columns.
//
//	rows, err := export.Source{}.Open(store, export.Contacts) // or Visits, Lookups, Edges, …
//	w, err := export.NewWriter(file, export.Parquet, rows.Schema, export.Options{})
//	err = rows.Write(w, func(int) error { return nil })
//	err = w.Close()
//	back, err := export.Read("contacts.parquet")
//
// With rows of one's own:
//
//	schema := export.Schema{{Name: "id", Type: export.ID}, {Name: "rtt_us", Type: export.Int}}
//	w, err := export.NewWriter(file, export.CSV, schema, export.Options{})
//	b := schema.NewBatch()
//	b.Cols[0].AddID(id); b.Cols[1].AddInt(rtt); b.Len++
//	err = w.Write(b) // takes b over
//	err = w.Close()
//
// Rows travel in batches of columns, as the formats that are read in columns want
// them, and so that several processors can work on them. One column has one name
// and one type in every format:
//
//	type    CSV, text         NDJSON, JSON   Parquet                  SQLite
//	ID      40 hex digits     the same       FIXED_LEN_BYTE_ARRAY 20  TEXT, hex
//	Hash    40 hex digits     the same       FIXED_LEN_BYTE_ARRAY 20  TEXT, hex
//	Addr    1.2.3.4, 2001::1  the same       STRING                   TEXT
//	Text    as it is          string         STRING                   TEXT
//	Int     decimal           number         INT64                    INTEGER
//	Float   shortest decimal  number         DOUBLE                   REAL
//	Bool    true, false       true, false    BOOLEAN                  INTEGER 0, 1
//	Time    RFC 3339 in UTC   the same       TIMESTAMP (µs, UTC)      as CSV
//	absent  empty             null           null                     NULL
//
// Times have microseconds: six digits behind the point in RFC 3339, which those
// outside the years 0 to 9999 have no form in: they are whole numbers. With
// Options.Micros they are whole numbers, microseconds since 1970, in all formats
// but Parquet. A Text that is empty cannot be told from an absent one in CSV: no
// column has both.
package export

import (
	"fmt"
	"net/netip"
	"sync"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Type is the type of a column.
type Type uint8

// The types.
const (
	ID    Type = iota + 1 // a kad.ID: a place of the ID space
	Hash                  // a kad.ID: the name of content, such as an infohash
	Addr                  // a netip.Addr, unmapped
	Text                  // a string, valid UTF-8
	Int                   // an int64
	Float                 // a float64, neither infinite nor NaN
	Bool                  // a bool
	Time                  // microseconds since 1970, UTC
)

// String returns "id", "hash", "addr", "text", "int", "float", "bool" or "time".
func (t Type) String() string {
	names := [...]string{"unknown", "id", "hash", "addr", "text", "int", "float", "bool", "time"}
	if int(t) < len(names) {
		return names[t]
	}
	return names[0]
}

// Column is the name and the type of a column.
type Column struct {
	Name string
	Type Type

	// Private columns are left out of data that is shared under pseudonyms, since
	// they would give away what stands behind them: a distance between IDs to
	// many digits, say.
	Private bool
}

// Schema is the columns of a table in their order.
type Schema []Column

// Names returns the names of the columns.
func (s Schema) Names() []string {
	names := make([]string, len(s))
	for i, c := range s {
		names[i] = c.Name
	}
	return names
}

// Index returns the place of a column, -1 when there is none of this name.
func (s Schema) Index(name string) int {
	for i, c := range s {
		if c.Name == name {
			return i
		}
	}
	return -1
}

// BatchRows is how many rows a full batch has.
const BatchRows = 4096

// Batch is some rows, by columns. Whoever adds a row adds a value, or Absent, to
// each column, then counts it in Len.
type Batch struct {
	Len  int
	Cols []Vector // as many as the schema has

	from *sync.Pool
}

// Vector is the values of one column. Of its slices that of its type is as long
// as the batch, with any value where Null is set; the others are empty. Null is
// always as long as the batch.
type Vector struct {
	Type   Type
	Null   []bool
	IDs    []kad.ID     // of ID and Hash
	Addrs  []netip.Addr // of Addr
	Texts  []string     // of Text
	Ints   []int64      // of Int, Time and Bool: 0 and 1
	Floats []float64    // of Float
}

// NewBatch returns an empty batch with room for BatchRows rows.
func (s Schema) NewBatch() *Batch {
	b := &Batch{Cols: make([]Vector, len(s))}
	for i, c := range s {
		b.Cols[i] = newVector(c.Type)
	}
	return b
}

func newVector(t Type) Vector {
	v := Vector{Type: t, Null: make([]bool, 0, BatchRows)}
	switch t {
	case ID, Hash:
		v.IDs = make([]kad.ID, 0, BatchRows)
	case Addr:
		v.Addrs = make([]netip.Addr, 0, BatchRows)
	case Text:
		v.Texts = make([]string, 0, BatchRows)
	case Int, Time, Bool:
		v.Ints = make([]int64, 0, BatchRows)
	case Float:
		v.Floats = make([]float64, 0, BatchRows)
	default:
		panic(fmt.Sprintf("a column of type %d", t))
	}
	return v
}

// Pool returns a function that gives empty batches, among them those that were
// released.
func (s Schema) Pool() func() *Batch {
	pool := &sync.Pool{}
	pool.New = func() any {
		b := s.NewBatch()
		b.from = pool
		return b
	}
	return func() *Batch { return pool.Get().(*Batch) }
}

// Full reports whether b should be written before more is added.
func (b *Batch) Full() bool { return b.Len >= BatchRows }

// Release empties b and gives it back to where it came from. Nobody uses it any
// more.
func (b *Batch) Release() {
	for i := range b.Cols {
		b.Cols[i].reset()
	}
	b.Len = 0
	if b.from != nil {
		b.from.Put(b)
	}
}

func (v *Vector) reset() {
	clear(v.Texts) // what they point to can be collected
	clear(v.Addrs)
	v.Null, v.IDs, v.Addrs, v.Texts = v.Null[:0], v.IDs[:0], v.Addrs[:0], v.Texts[:0]
	v.Ints, v.Floats = v.Ints[:0], v.Floats[:0]
}

// AddID adds an ID or a hash.
func (v *Vector) AddID(id kad.ID) { v.IDs, v.Null = append(v.IDs, id), append(v.Null, false) }

// AddAddr adds an address.
func (v *Vector) AddAddr(a netip.Addr) { v.Addrs, v.Null = append(v.Addrs, a), append(v.Null, false) }

// AddText adds a text.
func (v *Vector) AddText(s string) { v.Texts, v.Null = append(v.Texts, s), append(v.Null, false) }

// AddInt adds a number, or a time in microseconds since 1970.
func (v *Vector) AddInt(n int64) { v.Ints, v.Null = append(v.Ints, n), append(v.Null, false) }

// AddFloat adds a number.
func (v *Vector) AddFloat(f float64) {
	v.Floats, v.Null = append(v.Floats, f), append(v.Null, false)
}

// AddBool adds a truth value.
func (v *Vector) AddBool(is bool) {
	n := int64(0)
	if is {
		n = 1
	}
	v.AddInt(n)
}

// AddAbsent adds that there is no value.
func (v *Vector) AddAbsent() {
	switch v.Type {
	case ID, Hash:
		v.AddID(kad.ID{})
	case Addr:
		v.AddAddr(netip.Addr{})
	case Text:
		v.AddText("")
	case Float:
		v.AddFloat(0)
	default:
		v.AddInt(0)
	}
	v.Null[len(v.Null)-1] = true
}
