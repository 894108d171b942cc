package export

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
)

// Read opens a file that was written in a format that keeps all columns: CSV,
// NDJSON or JSON, compressed or not, Parquet or SQLite, as its name ends. Columns
// have the types that they were written with; in CSV and JSON, which do not tell,
// those of the store's columns of their names, and else Text. The file is open
// until the rows have been read through, or their loop is left; so they are read
// once.
func Read(name string) (Table, error) {
	f, _ := FormatOf(name)
	var t Table
	var err error
	switch f {
	case SQLite:
		t.Schema, t.Rows, err = readSQLite(name)
	case CSV, NDJSON, JSON, Parquet:
		t, err = readOpen(name, f)
	default:
		err = fmt.Errorf("want a name that ends in .csv, .ndjson, .json, .parquet or .sqlite")
	}
	if err != nil {
		return Table{}, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// readOpen is Read for formats that are read from an open file.
func readOpen(name string, f Format) (t Table, err error) {
	file, err := os.Open(name)
	if err != nil {
		return t, err
	}
	closers := []io.Closer{file}
	if f == Parquet {
		var info os.FileInfo
		if info, err = file.Stat(); err == nil {
			t.Schema, t.Rows, err = readParquet(file, info.Size())
		}
	} else {
		var plain io.ReadCloser
		if plain, err = Decompress(file, name); err == nil {
			closers = append(closers, plain)
			t.Schema, t.Rows, err = readLines(plain, f)
		}
	}
	if err != nil {
		closeAll(closers)
		return t, err
	}
	t.Rows = closing(t.Rows, closers)
	return t, nil
}

func readLines(r io.Reader, f Format) (Schema, iter.Seq2[*Batch, error], error) {
	switch f {
	case NDJSON:
		return readNDJSON(r, TypeOf)
	case JSON:
		return readJSON(r, TypeOf)
	}
	return readCSV(r, TypeOf)
}

// closing yields what seq does, once, and closes what it is read from.
func closing(seq iter.Seq2[*Batch, error], closers []io.Closer) iter.Seq2[*Batch, error] {
	read := false
	return func(yield func(*Batch, error) bool) {
		if read {
			yield(nil, errors.New("a file that is read twice: open it again"))
			return
		}
		read = true
		defer closeAll(closers)
		seq(yield)
	}
}

func closeAll(closers []io.Closer) {
	for i := len(closers) - 1; i >= 0; i-- {
		closers[i].Close()
	}
}
