package export

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
)

// readCSV reads a table in CSV: its header at once, its rows when they are ranged
// over. Lines end in CRLF or LF, the last one in either or none, and a byte order
// mark may stand before them. An empty field is an absent value. A file that was
// cut off in its last field cannot be told from a whole one, other than by what
// compresses it.
func readCSV(r io.Reader, typeOf typeOf) (Schema, iter.Seq2[*Batch, error], error) {
	c := csv.NewReader(&carriages{r: withoutMark(r)})
	c.ReuseRecord = true
	c.FieldsPerRecord = -1 // counted here, for a better message
	header, err := c.Read()
	if err == io.EOF {
		return nil, nil, errors.New("line 1: a table in CSV begins with the names of its columns: the file is empty")
	}
	if err != nil {
		return nil, nil, csvError(err)
	}
	s, err := columnsOf(header, typeOf)
	if err != nil {
		line, _ := c.FieldPos(0)
		return nil, nil, fmt.Errorf("line %d: %w", line, err)
	}
	return s, batches(s, func(b *Batch) error { return addCSVRow(b, c, s) }), nil
}

// addCSVRow adds the values of the next row. The line of an error is that in which
// its field begins: a field between quotes may have several.
func addCSVRow(b *Batch, c *csv.Reader, s Schema) error {
	fields, err := c.Read()
	if err != nil {
		return csvError(err)
	}
	if len(fields) != len(s) {
		line, _ := c.FieldPos(0)
		return fmt.Errorf("line %d: %d fields where the header has %d: was the file cut off?", line, len(fields), len(s))
	}
	for i, field := range fields {
		if field == "" {
			b.Cols[i].AddAbsent()
			continue
		}
		if err := b.Cols[i].addParsed(field); err != nil {
			line, _ := c.FieldPos(i)
			return at(line, s[i].Name, err)
		}
	}
	return nil
}

// csvError says in which line CSV is malformed, in the words of the other errors.
func csvError(err error) error {
	var malformed *csv.ParseError
	switch {
	case !errors.As(err, &malformed):
		return err
	case malformed.Line == malformed.StartLine:
		return fmt.Errorf("line %d: no CSV: %w", malformed.Line, malformed.Err)
	}
	return fmt.Errorf("line %d: no CSV: %w, in the row that begins in line %d", malformed.Line, malformed.Err, malformed.StartLine)
}

// withoutMark leaves out a byte order mark at the start, as Windows programs put
// there.
func withoutMark(r io.Reader) *bufio.Reader {
	b := bufio.NewReaderSize(r, 64<<10)
	if start, err := b.Peek(3); err == nil && string(start) == "\ufeff" {
		b.Discard(3)
	}
	return b
}

// carriages doubles the carriage return of a CRLF between quotes, because
// encoding/csv takes one out wherever a line ends, also within a text.
type carriages struct {
	r      *bufio.Reader
	quoted bool // an odd number of quotes came before
	again  bool // a carriage return is to be repeated
}

// Read passes on what r has at hand, with the carriage returns doubled.
func (c *carriages) Read(p []byte) (int, error) {
	for n := range p {
		if c.again {
			p[n], c.again = '\r', false
			continue
		}
		if n > 0 && c.r.Buffered() == 0 {
			return n, nil // rather than wait for more
		}
		b, err := c.r.ReadByte()
		if err != nil {
			return n, err
		}
		p[n] = b
		switch {
		case b == '"':
			c.quoted = !c.quoted
		case b == '\r' && c.quoted:
			c.again = c.beforeNewline()
		}
	}
	return len(p), nil
}

// beforeNewline reports whether a newline comes next.
func (c *carriages) beforeNewline() bool {
	next, err := c.r.Peek(1)
	return err == nil && next[0] == '\n'
}
