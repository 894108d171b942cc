package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
)

// readNDJSON reads a table that has an object for each row, one after the other.
// The keys of the first are the columns, in their order; a later object may leave
// out some, which are absent then, or have them in another order. A table without
// rows has no columns either.
func readNDJSON(r io.Reader, typeOf typeOf) (Schema, iter.Seq2[*Batch, error], error) {
	return readObjects(newObjects(r), typeOf)
}

// readJSON reads a table that is an array of objects, in the manner of readNDJSON.
func readJSON(r io.Reader, typeOf typeOf) (Schema, iter.Seq2[*Batch, error], error) {
	o := newObjects(r)
	if err := o.open('[', "an array of objects"); err != nil {
		return nil, nil, o.explain(err)
	}
	o.array = true
	return readObjects(o, typeOf)
}

func readObjects(o *objects, typeOf typeOf) (Schema, iter.Seq2[*Batch, error], error) {
	err := o.next()
	if err != nil && err != io.EOF {
		return nil, nil, err
	}
	names := make([]string, len(o.members))
	for i, m := range o.members {
		names[i] = m.key
	}
	s, bad := columnsOf(names, typeOf)
	if bad != nil {
		return nil, nil, fmt.Errorf("line %d: %w", o.line(), bad)
	}
	if err == nil && len(s) == 0 {
		return nil, nil, fmt.Errorf("line %d: an object without keys: a table has columns", o.line())
	}
	rows := &objectRows{objects: o, schema: s, pending: err == nil, ended: err != nil}
	return s, batches(s, rows.add), nil
}

// objectRows makes rows of objects.
type objectRows struct {
	objects *objects
	schema  Schema
	pending bool // the object that the columns come from is not added yet
	ended   bool
}

// add adds the values of the next object.
func (r *objectRows) add(b *Batch) error {
	if r.ended {
		return io.EOF
	}
	if !r.pending {
		if err := r.objects.next(); err != nil {
			return err
		}
	}
	r.pending = false
	for i, m := range r.objects.members {
		if err := r.addMember(b, i, m); err != nil {
			return err
		}
	}
	for i := range b.Cols {
		if v := &b.Cols[i]; len(v.Null) == b.Len {
			v.AddAbsent()
		}
	}
	return nil
}

// addMember adds a value to its column, most likely the one in the same place.
func (r *objectRows) addMember(b *Batch, place int, m member) error {
	if place >= len(r.schema) || r.schema[place].Name != m.key {
		place = r.schema.Index(m.key)
	}
	if place < 0 {
		return fmt.Errorf("line %d: the first row has no %q", m.line, clipped(m.key))
	}
	v := &b.Cols[place]
	if len(v.Null) > b.Len {
		return at(m.line, m.key, errors.New("there twice"))
	}
	if m.null {
		v.AddAbsent()
		return nil
	}
	if err := v.addParsed(m.value); err != nil {
		return at(m.line, m.key, err)
	}
	return nil
}

// objects reads objects that hold no others.
type objects struct {
	d       *json.Decoder
	lines   *lineCount
	array   bool     // they are those of an array
	members []member // of the object that was read last
}

// member is a key and its value: what stands between the quotes of a string, or
// a number, true or false as it is written.
type member struct {
	key, value string
	null       bool
	line       int
}

func newObjects(r io.Reader) *objects {
	lines := &lineCount{r: withoutMark(r), line: 1}
	o := &objects{d: json.NewDecoder(lines), lines: lines}
	o.d.UseNumber() // an int64 is not always a float64
	return o
}

// next reads an object. It returns io.EOF, with no members, when there are no more
// and the file ends as it should.
func (o *objects) next() error {
	o.members = o.members[:0]
	if o.array && !o.d.More() {
		return o.end()
	}
	err := o.open('{', "an object")
	if err == io.EOF && !o.array {
		return io.EOF
	}
	for err == nil && o.d.More() {
		err = o.member()
	}
	if err == nil {
		_, err = o.d.Token() // the brace
	}
	return o.explain(err)
}

// member reads a key and its value.
func (o *objects) member() error {
	key, err := o.d.Token()
	if err != nil {
		return err
	}
	value, err := o.d.Token()
	if err != nil {
		return err
	}
	m := member{key: key.(string), line: o.line()}
	switch value := value.(type) {
	case nil:
		m.null = true
	case json.Delim:
		return fmt.Errorf("column %s: an object or array within a row", clipped(m.key))
	case string:
		m.value = value
	case json.Number:
		m.value = value.String()
	case bool:
		m.value = strconv.FormatBool(value)
	}
	o.members = append(o.members, m)
	return nil
}

// open reads what a row or a table begins with.
func (o *objects) open(want json.Delim, what string) error {
	token, err := o.d.Token()
	if err == nil && token != want {
		return fmt.Errorf("want %s", what)
	}
	return err
}

// end reads the end of the array and of the file.
func (o *objects) end() error {
	if _, err := o.d.Token(); err != nil {
		return o.explain(err)
	}
	switch _, err := o.d.Token(); {
	case err == io.EOF:
		return io.EOF
	case err != nil:
		return o.explain(err)
	}
	return o.explain(errors.New("there is more behind the array"))
}

// explain says in which line an error is. The end of the file is one here.
func (o *objects) explain(err error) error {
	if err == nil {
		return nil
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF { // of ours: others say where they are from
		err = errors.New("the file ends too early: was it cut off?")
	}
	var malformed *json.SyntaxError
	if errors.As(err, &malformed) {
		err = fmt.Errorf("no JSON: %w", err)
	}
	return fmt.Errorf("line %d: %w", o.line(), err)
}

// line returns the line that was read last.
func (o *objects) line() int { return o.lines.at(o.d.InputOffset()) }

// lineCount tells lines from offsets. It remembers the newlines of what the decoder
// has taken but not read.
type lineCount struct {
	r        io.Reader
	offset   int64
	line     int     // the one that begins behind all newlines left out of ahead
	newlines []int64 // offsets that at was not yet beyond
}

func (c *lineCount) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	for i, b := range p[:n] {
		if b == '\n' {
			c.newlines = append(c.newlines, c.offset+int64(i))
		}
	}
	c.offset += int64(n)
	return n, err
}

// at returns the line of an offset, which is not before that of the last call.
func (c *lineCount) at(offset int64) int {
	passed, _ := slices.BinarySearch(c.newlines, offset)
	c.line += passed
	c.newlines = slices.Delete(c.newlines, 0, passed)
	return c.line
}
