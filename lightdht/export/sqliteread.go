package export

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"net/netip"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// readSQLite reads a database that NewSQLite wrote. Another one is refused: it does
// not tell what its columns mean.
//
// A batch belongs to whoever gets it, who may release it. The last of the sequence
// may be an error, without a batch.
func readSQLite(name string) (Schema, iter.Seq2[*Batch, error], error) {
	fail := func(err error) error { return fmt.Errorf("sqlite: %s: %w", name, err) }
	conn, err := openSQLite(name)
	if err != nil {
		return nil, nil, fail(err)
	}
	defer conn.Close()
	table, s, err := sqliteSchema(conn)
	if err != nil {
		return nil, nil, fail(err)
	}
	return s, func(yield func(*Batch, error) bool) {
		if err := readSQLiteRows(name, table, s, yield); err != nil {
			yield(nil, fail(err))
		}
	}, nil
}

// openSQLite opens a database to read it. SQLite would make one that is not there,
// and takes an empty file for one.
func openSQLite(name string) (driver.Conn, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, errors.Unwrap(err) // the name is told already
	case info.IsDir():
		return nil, errors.New("this is a directory")
	case info.Size() == 0:
		return nil, errors.New("this is not a database: it is empty")
	}
	uri, err := sqliteURI(name, "?mode=ro")
	if err != nil {
		return nil, err
	}
	return sqliteDriver.Open(uri)
}

// sqliteSchema returns the name of the table of rows and its columns.
func sqliteSchema(conn driver.Conn) (table string, s Schema, err error) {
	err = sqliteQuery(conn, `SELECT "table", name, type FROM `+sqliteColumns+" ORDER BY rowid", 3, func(row []driver.Value) error {
		of, _ := row[0].(string)
		name, _ := row[1].(string)
		kind, _ := row[2].(string)
		t, ok := typeNamed(kind)
		if !ok || len(s) > 0 && of != table {
			return fmt.Errorf("its table %s is none of ours: column %q of the type %q in the table %q",
				sqliteColumns, name, kind, of)
		}
		table, s = of, append(s, Column{Name: name, Type: t})
		return nil
	})
	if err == nil {
		err = checkColumns(s)
	}
	if err != nil {
		return "", nil, fmt.Errorf("this is not a database of ours, with a table %s of types: %w", sqliteColumns, err)
	}
	return table, s, nil
}

// sqliteQuery calls f with each row of what a statement selects.
func sqliteQuery(conn driver.Conn, statement string, columns int, f func([]driver.Value) error) error {
	rows, err := conn.(driver.QueryerContext).QueryContext(context.Background(), statement, nil)
	if err != nil {
		return err
	}
	defer rows.Close()
	row := make([]driver.Value, columns)
	for {
		if err := rows.Next(row); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := f(row); err != nil {
			return err
		}
	}
}

// errEnough ends a query that nobody wants more of.
var errEnough = errors.New("enough")

// readSQLiteRows yields the rows of a table.
func readSQLiteRows(name, table string, s Schema, yield func(*Batch, error) bool) error {
	conn, err := openSQLite(name)
	if err != nil {
		return err
	}
	defer conn.Close()
	pool := s.Pool()
	b := pool()
	defer func() { b.Release() }()
	names := make([]string, len(s))
	for i, c := range s {
		names[i] = sqliteQuoted(c.Name)
	}
	give := func() error {
		full := b
		b = pool()
		if !yield(full, nil) {
			return errEnough
		}
		return nil
	}
	err = sqliteQuery(conn, "SELECT "+strings.Join(names, ", ")+" FROM main."+sqliteQuoted(table), len(s), func(row []driver.Value) error {
		if err := addSQLiteRow(b, s, row); err != nil {
			return err
		}
		if b.Full() {
			return give()
		}
		return nil
	})
	if err == nil && b.Len > 0 {
		err = give()
	}
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// addSQLiteRow adds a row, whose values are in the order of the schema.
func addSQLiteRow(b *Batch, s Schema, row []driver.Value) error {
	for i, value := range row {
		if value == nil {
			b.Cols[i].AddAbsent()
			continue
		}
		if err := addSQLite(&b.Cols[i], value); err != nil {
			return fmt.Errorf("column %q: %w", s[i].Name, err)
		}
	}
	b.Len++
	return nil
}

// addSQLite adds a value that is there. SQLite keeps any kind of value in any column,
// so that each has to be looked at.
func addSQLite(v *Vector, value driver.Value) error {
	switch x := value.(type) {
	case string:
		return addSQLiteText(v, x)
	case int64:
		switch v.Type {
		case Int, Time: // microseconds
			v.AddInt(x)
			return nil
		case Bool:
			v.AddBool(x != 0)
			return nil
		}
	case float64:
		if v.Type == Float && !math.IsInf(x, 0) {
			v.AddFloat(x)
			return nil
		}
	}
	return fmt.Errorf("%.40v is no %v", value, v.Type)
}

// addSQLiteText adds what a text stands for. Times may have any number of digits
// behind the point, and any zone.
func addSQLiteText(v *Vector, x string) error {
	var err error
	switch v.Type {
	case ID, Hash:
		var id kad.ID
		id, err = kad.ParseID(x)
		v.AddID(id)
	case Addr:
		var addr netip.Addr
		addr, err = netip.ParseAddr(x)
		v.AddAddr(addr.Unmap())
	case Text:
		if !utf8.ValidString(x) {
			return fmt.Errorf("a text that is not UTF-8: %.40q", x)
		}
		v.AddText(x)
	case Time:
		var at time.Time
		at, err = time.Parse(time.RFC3339Nano, x)
		v.AddInt(at.UnixMicro())
	default:
		return fmt.Errorf("%.40q is no %v", x, v.Type)
	}
	return err
}
