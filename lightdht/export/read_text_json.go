package export

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
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
	if err := o.openArray(); err != nil {
		return nil, nil, err
	}
	return readObjects(o, typeOf)
}

// readObjects reads the first object, which names the columns; the others are read
// when they are ranged over.
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
		return nil, nil, fmt.Errorf("line %d: %w", o.lines.at(o.start), bad)
	}
	if err == nil && len(s) == 0 {
		return nil, nil, fmt.Errorf("line %d: an object without keys: a table has columns", o.lines.at(o.start))
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

// add adds the values of the next object. A column that it has no key for gets an
// absent one.
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
		return fmt.Errorf("line %d: the first row has no %q", r.objects.lineOf(m), clipped(m.key))
	}
	v := &b.Cols[place]
	if len(v.Null) > b.Len {
		return at(r.objects.lineOf(m), m.key, errors.New("there twice"))
	}
	if m.null {
		v.AddAbsent()
		return nil
	}
	if err := v.addParsed(m.value); err != nil {
		return at(r.objects.lineOf(m), m.key, err)
	}
	return nil
}

// objects reads objects that hold no others. encoding/json finds where each begins
// and ends and that it is well formed; its tokens, one by one, would take ten times
// as long as taking apart what is known to be an object.
type objects struct {
	d       *json.Decoder
	lines   *lineCount
	array   bool            // they are those of an array
	raw     json.RawMessage // the object that was read last
	start   int64           // its offset
	members []member        // of it
}

// newObjects returns what reads the objects of r, one after the other.
func newObjects(r io.Reader) *objects {
	lines := &lineCount{r: withoutMark(r), line: 1}
	return &objects{d: json.NewDecoder(lines), lines: lines}
}

// openArray reads what the array begins with.
func (o *objects) openArray() error {
	token, err := o.d.Token()
	if err == nil && token != json.Delim('[') {
		err = errors.New("want an array of objects")
	}
	o.array = true
	return o.explain(err)
}

// next reads an object. It returns io.EOF, with no members, when there are no more
// and the file ends as it should.
func (o *objects) next() (err error) {
	o.members = o.members[:0]
	if more := o.d.More(); o.array && !more {
		return o.end()
	}
	o.lines.at(o.d.InputOffset()) // what is before can be forgotten
	if err := o.d.Decode(&o.raw); err != nil {
		if err == io.EOF && !o.array {
			return err
		}
		return o.explain(err)
	}
	o.start = o.d.InputOffset() - int64(len(o.raw))
	if o.raw[0] != '{' {
		return fmt.Errorf("line %d: want an object", o.lines.at(o.start))
	}
	o.members, err = appendMembers(o.members, string(o.raw))
	if err != nil {
		return fmt.Errorf("line %d: %w", o.lines.at(o.start), err)
	}
	return nil
}

// end reads the end of the array and of the file.
func (o *objects) end() error {
	if _, err := o.d.Token(); err != nil {
		return o.explain(err)
	}
	if _, err := o.d.Token(); err != io.EOF {
		return o.explain(cmp.Or(err, errors.New("there is more behind the array")))
	}
	return io.EOF
}

// explain says in which line an error is: that where the bad row begins. The end
// of the file is an error here.
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
	o.d.More() // goes on to what comes next
	return fmt.Errorf("line %d: %w", o.lines.at(o.d.InputOffset()), err)
}

// lineOf returns the line of a member of the object that was read last.
func (o *objects) lineOf(m member) int { return o.lines.at(o.start + int64(m.offset)) }

// lineCount tells lines from offsets. It remembers the newlines of what the decoder
// has taken but not read.
type lineCount struct {
	r        io.Reader
	offset   int64
	line     int     // the one that begins behind all newlines left out of ahead
	newlines []int64 // offsets that at was not yet beyond
}

// Read notes where the newlines are of what it passes on.
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
