package export

import (
	"encoding/binary"
	"errors"
)

// The metadata of Parquet are structs of Thrift's compact protocol:
//
//	struct  field … 00
//	field   id delta (4 bits), type (4 bits); with a delta of 0 the id follows
//	list    size (4 bits), type (4 bits); with a size of 15 a varint of the size follows
//	binary  varint of the length, bytes
//
// The library makes room for as many elements as a list claims to have before it
// reads them, and the process ends when that is more than there is. So what comes
// from outside is walked over first.

const (
	thriftDepth   = 32      // structs and lists in each other: Parquet has some 8
	thriftStructs = 1 << 20 // in lists: 32,767 row groups of 24 columns have fewer
)

var (
	errThriftShort = errors.New("metadata that end too early")
	errThriftBad   = errors.New("metadata that are none")
	errThriftMuch  = errors.New("more metadata than any file has")
)

// thriftWalk walks over a value without keeping it.
type thriftWalk struct {
	rest    []byte
	structs int // seen in lists
	err     error
}

// thriftLength returns how many bytes the struct at the start of b has.
func thriftLength(b []byte) (int, error) {
	w := thriftWalk{rest: b}
	w.fields(0)
	return len(b) - len(w.rest), w.err
}

// fail keeps the first error and ends the walk.
func (w *thriftWalk) fail(err error) {
	if w.err == nil {
		w.err = err
	}
	w.rest = nil
}

func (w *thriftWalk) byte() byte {
	if len(w.rest) == 0 {
		w.fail(errThriftShort)
		return 0
	}
	b := w.rest[0]
	w.rest = w.rest[1:]
	return b
}

func (w *thriftWalk) varint() uint64 {
	n, used := binary.Uvarint(w.rest)
	switch {
	case used == 0:
		w.fail(errThriftShort)
		return 0
	case used < 0:
		w.fail(errThriftBad)
		return 0
	}
	w.rest = w.rest[used:]
	return n
}

func (w *thriftWalk) skip(n uint64) {
	if n > uint64(len(w.rest)) {
		w.fail(errThriftShort)
		return
	}
	w.rest = w.rest[n:]
}

// fields walks over a struct.
func (w *thriftWalk) fields(depth int) {
	if depth > thriftDepth {
		w.fail(errThriftBad)
	}
	for w.err == nil {
		head := w.byte()
		if head&15 == 0 {
			return
		}
		if head>>4 == 0 {
			w.varint()
		}
		if kind := head & 15; kind > 2 { // 1 and 2 are true and false by themselves
			w.value(kind, depth)
		}
	}
}

// value walks over a value of a type that is not the field's alone.
func (w *thriftWalk) value(kind byte, depth int) {
	switch kind {
	case 1, 2, 3:
		w.byte()
	case 4, 5, 6:
		w.varint()
	case 7:
		w.skip(8)
	case 8:
		w.skip(w.varint())
	case 9, 10:
		w.list(depth + 1)
	case 12:
		w.fields(depth + 1)
	default: // maps too, of which Parquet has none
		w.fail(errThriftBad)
	}
}

// list walks over the elements, each of which has a byte or more.
func (w *thriftWalk) list(depth int) {
	head := w.byte()
	size := uint64(head >> 4)
	if size == 15 {
		size = w.varint()
	}
	switch {
	case depth > thriftDepth:
		w.fail(errThriftBad)
	case size > uint64(len(w.rest)):
		w.fail(errThriftShort)
	case head&15 >= 9:
		w.structs += int(size)
	}
	if w.structs > thriftStructs {
		w.fail(errThriftMuch)
	}
	for ; size > 0 && w.err == nil; size-- {
		w.value(head&15, depth)
	}
}
