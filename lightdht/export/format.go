package export

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// Format is a form in which rows are handed over.
type Format string

// The formats.
const (
	TextLines Format = "text"     // columns between tabs, for people: no header, with backslashes before what would break a line
	CSV       Format = "csv"      // RFC 4180: a header, lines that end in CRLF
	NDJSON    Format = "ndjson"   // an object on each line
	JSON      Format = "json"     // an array of objects
	Parquet   Format = "parquet"  // compressed with zstd
	SQLite    Format = "sqlite"   // a database with one table; only into a file of its own
	GraphML   Format = "graphml"  // a directed graph, of edges alone
	EdgeList  Format = "edgelist" // source, target and weight on each line, of edges alone
)

// Formats are all of them.
var Formats = []Format{CSV, NDJSON, JSON, Parquet, SQLite, GraphML, EdgeList, TextLines}

// ParseFormat returns the format of a name.
func ParseFormat(s string) (Format, error) {
	var names []string
	for _, f := range Formats {
		if s == string(f) {
			return f, nil
		}
		names = append(names, string(f))
	}
	return "", fmt.Errorf("no format %q: want %s", s, strings.Join(names, ", "))
}

// endings are how names of files end, with what that tells.
var endings = []struct {
	ending string
	format Format
}{
	{".csv", CSV}, {".ndjson", NDJSON}, {".jsonl", NDJSON}, {".json", JSON}, {".parquet", Parquet}, {".sqlite", SQLite},
	{".sqlite3", SQLite}, {".db", SQLite}, {".graphml", GraphML}, {".edgelist", EdgeList}, {".txt", TextLines},
}

// FormatOf returns the format that a file's name tells by its ending, in small or
// capital letters, before .gz or .zst; false when that is none.
func FormatOf(name string) (Format, bool) {
	end := Ending(name)
	for _, e := range endings {
		if e.ending == end {
			return e.format, true
		}
	}
	return "", false
}

// Endings returns all endings that tell a format.
func Endings() (all []string) {
	for _, e := range endings {
		all = append(all, e.ending)
	}
	return all
}

// Ending returns the ending of a file's name before .gz or .zst, in small letters;
// "" when it has none.
func Ending(name string) string {
	if end := ending(name); end == ".gz" || end == ".zst" {
		name = name[:len(name)-len(end)]
	}
	if name = filepath.Base(name); strings.LastIndexByte(name, '.') <= 0 {
		return "" // the point that hides a file begins no ending
	}
	return ending(name)
}

// Options say how rows are written. The zero Options are good.
type Options struct {
	Micros bool   // times as microseconds since 1970, in Parquet no matter
	Table  string // name of the table in SQLite; "": "rows"
}

// Writer takes batches of one schema and writes them in order. Write takes the
// batch over, and releases it when it is done with it; an error is final, and
// may be about a batch before. Close completes the file but does not close what
// it is written to; without it, the file is of no use. Neither may be called from
// several goroutines at once.
type Writer interface {
	Write(*Batch) error
	Close() error
}

// NewWriter returns a writer of rows in a format to w. SQLite, which needs a
// name, is written by NewSQLite.
func NewWriter(w io.Writer, f Format, s Schema, o Options) (Writer, error) {
	switch f {
	case TextLines, CSV, NDJSON, JSON:
		return newLines(w, f, s, o)
	case Parquet:
		return newParquet(w, s, o)
	case GraphML:
		return newGraphML(w, s, o)
	case EdgeList:
		return newEdgeList(w, s, o)
	case SQLite:
		return nil, errors.New("sqlite is written into a file alone: name one")
	}
	return nil, fmt.Errorf("no format %q", f)
}
