package export

import (
	"fmt"
	"io"
	"iter"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// What reads rows of text back: the values of each type, and batches of them. The
// readers of CSV and JSON find the values and know the lines they stand in.
//
// Neither form tells the types of its columns, so the readers ask for them by
// name; a column that nobody knows is Text.

// typeOf gives the type of a column, false when it knows none of this name.
type typeOf func(name string) (Type, bool)

// mostColumns bounds what a file can make us allocate: batches have room for all
// their rows from the start.
const mostColumns = 1000

// columnsOf returns the schema of a table with these columns.
func columnsOf(names []string, typeOf typeOf) (Schema, error) {
	if len(names) > mostColumns {
		return nil, fmt.Errorf("%d columns: a table has at most %d", len(names), mostColumns)
	}
	s := make(Schema, 0, len(names))
	known := make(map[string]bool, len(names))
	for i, name := range names {
		if name == "" {
			return nil, fmt.Errorf("column %d has no name", i+1)
		}
		if known[name] {
			return nil, fmt.Errorf("two columns have the name %s", name)
		}
		known[name] = true
		t, ok := typeOf(name)
		if !ok {
			t = Text
		}
		s = append(s, Column{Name: name, Type: t})
	}
	return s, nil
}

// batches makes batches of the rows that next adds, until its first error; io.EOF
// is the end. The rows before an error come before it. They can be ranged over
// once, since what they are read from is.
func batches(s Schema, next func(*Batch) error) iter.Seq2[*Batch, error] {
	get := s.Pool() // so that released batches are filled again
	return func(yield func(*Batch, error) bool) {
		for {
			b := get()
			err := fill(b, next)
			switch {
			case b.Len == 0:
				b.Release()
			case !yield(b, nil):
				return
			}
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// fill adds rows until b is full, and leaves it with whole rows only.
func fill(b *Batch, next func(*Batch) error) error {
	for !b.Full() {
		if err := next(b); err != nil {
			for i := range b.Cols {
				b.Cols[i].cut(b.Len)
			}
			return err
		}
		b.Len++
	}
	return nil
}

// cut leaves n values in a column, or as many as it has: those of a row that went
// wrong in the middle are left out.
func (v *Vector) cut(n int) {
	v.Null = v.Null[:min(n, len(v.Null))]
	v.IDs, v.Addrs = v.IDs[:min(n, len(v.IDs))], v.Addrs[:min(n, len(v.Addrs))]
	v.Texts, v.Ints = v.Texts[:min(n, len(v.Texts))], v.Ints[:min(n, len(v.Ints))]
	v.Floats = v.Floats[:min(n, len(v.Floats))]
}

// addParsed adds the value that s tells. The error says no more than that it is
// not one of the type.
func (v *Vector) addParsed(s string) error {
	ok := false
	switch v.Type {
	case ID, Hash:
		ok = v.addParsedID(s)
	case Addr:
		ok = v.addParsedAddr(s)
	case Text:
		ok = v.addParsedText(s)
	case Int:
		ok = v.addParsedInt(s)
	case Float:
		ok = v.addParsedFloat(s)
	case Bool:
		ok = v.addParsedBool(s)
	case Time:
		ok = v.addParsedTime(s)
	}
	if !ok {
		return fmt.Errorf("%q is no %v", clipped(s), v.Type)
	}
	return nil
}

// clipped returns as much of a bad value as a message has room for.
func clipped(s string) string {
	if len(s) <= 60 {
		return s
	}
	return s[:60] + "…"
}

// addParsedID adds an ID or a hash of hex digits in either case.
func (v *Vector) addParsedID(s string) bool {
	id, err := kad.ParseID(s)
	if err == nil {
		v.AddID(id)
	}
	return err == nil
}

// addParsedAddr adds an address, without the zone that it had on the machine it is
// from.
func (v *Vector) addParsedAddr(s string) bool {
	a, err := netip.ParseAddr(s)
	if err == nil {
		v.AddAddr(a.Unmap().WithZone(""))
	}
	return err == nil
}

// addParsedText adds a text. It is a copy, since s is a part of its line, unless
// the row before has the same, as is often so.
func (v *Vector) addParsedText(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	if n := len(v.Texts); n > 0 && v.Texts[n-1] == s {
		s = v.Texts[n-1]
	} else {
		s = strings.Clone(s)
	}
	v.AddText(s)
	return true
}

// addParsedInt adds a decimal number that has no fraction and fits.
func (v *Vector) addParsedInt(s string) bool {
	n, err := strconv.ParseInt(s, 10, 64)
	if err == nil {
		v.AddInt(n)
	}
	return err == nil
}

// addParsedFloat adds a number, but none that has no place on the line of numbers.
func (v *Vector) addParsedFloat(s string) bool {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return false
	}
	v.AddFloat(f)
	return true
}

// addParsedBool adds what other programs call true and false, too: True, 1, f.
func (v *Vector) addParsedBool(s string) bool {
	is, err := strconv.ParseBool(s)
	if err == nil {
		v.AddBool(is)
	}
	return err == nil
}

// addParsedTime adds a time in RFC 3339, of any zone, or in microseconds. What is
// less than one of those is left out.
func (v *Vector) addParsedTime(s string) bool {
	if !strings.Contains(s, ":") {
		return v.addParsedInt(s)
	}
	t, err := time.Parse(time.RFC3339, s)
	if err == nil {
		v.AddInt(t.UnixMicro())
	}
	return err == nil
}

// at puts the place of a bad value before what is wrong with it.
func at(line int, column string, err error) error {
	return fmt.Errorf("line %d, column %s: %w", line, column, err)
}
