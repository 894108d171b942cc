package export

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
)

// sqliteColumns is the table that tells the types of the columns, in their order:
// SQLite alone tells neither an ID from a text nor a truth value from a number.
const sqliteColumns = "columns"

// sqliteWriter writes a database with one statement,
//
//	INSERT INTO rows SELECT * FROM batches
//
// whose batches are a virtual table that lasts until Close. So a value costs a call
// of a function: to bind a row's values to a statement, over and over, takes three
// times as long. Write turns the batches into values meanwhile.
type sqliteWriter struct {
	name   string
	conn   driver.Conn
	micros bool

	full chan *sqliteRows // to the statement
	free chan *sqliteRows // and back
	done chan struct{}    // closed when the statement has ended
	fed  string           // the name of its source
	err  error            // of Write's side: the first, and final
	sql  error            // of the statement; read after done
}

// NewSQLite returns a writer into a new database, which has one table of rows,
// Options.Table, and one that tells their types:
//
//	CREATE TABLE rows    (id TEXT, port INTEGER, …)
//	CREATE TABLE columns ("table" TEXT, name TEXT, type TEXT)
//
// A file that exists is refused and left as it is. Until Close has returned the
// database is of no use; when that returns an error, or Write did, the file is gone.
func NewSQLite(name string, s Schema, o Options) (Writer, error) {
	if err := checkColumns(s); err != nil {
		return nil, err
	}
	table := o.Table
	if table == "" {
		table = "rows"
	}
	if strings.EqualFold(table, sqliteColumns) {
		return nil, fmt.Errorf("sqlite: the table cannot be called %s: that one tells the types", table)
	}
	if err := newSQLiteFile(name); err != nil {
		return nil, err
	}
	w := &sqliteWriter{name: name, micros: o.Micros}
	if err := w.open(table, s); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: %s: %w", name, err), w.remove())
	}
	w.start(table, s)
	return w, nil
}

// newSQLiteFile makes a file that must not be there yet.
func newSQLiteFile(name string) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("sqlite: %s exists: name a file that does not", name)
	}
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	return f.Close()
}

// sqliteURI returns how SQLite names a file: whatever its name is, that is no
// parameter and not the memory.
func sqliteURI(name, parameters string) (string, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(filepath.ToSlash(abs))
	if !strings.HasPrefix(escaped, "/") {
		escaped = "/" + escaped // C:/… on Windows
	}
	return "file:" + escaped + parameters, nil
}

// open makes the tables, in the transaction that the rows come in. The file is of no
// use before it is complete, and so needs neither a journal nor a disk that is up to
// date; nobody else may look into it meanwhile. Large pages are fewer: 16 kB cost a
// tenth less than 4 kB, and more than that gain little.
func (w *sqliteWriter) open(table string, s Schema) error {
	uri, err := sqliteURI(w.name, "")
	if err != nil {
		return err
	}
	if w.conn, err = sqliteDriver.Open(uri); err != nil {
		return err
	}
	for _, statement := range []string{
		"PRAGMA page_size = 16384",
		"PRAGMA journal_mode = OFF",
		"PRAGMA synchronous = OFF",
		"PRAGMA locking_mode = EXCLUSIVE",
		"BEGIN",
		"CREATE TABLE " + sqliteQuoted(table) + " (" + sqliteDeclared(s, w.micros) + ")",
		"CREATE TABLE " + sqliteColumns + ` ("table" TEXT, name TEXT, type TEXT)`,
	} {
		if err := w.exec(statement); err != nil {
			return err
		}
	}
	for _, c := range s {
		if err := w.exec("INSERT INTO "+sqliteColumns+" VALUES (?, ?, ?)", table, c.Name, c.Type.String()); err != nil {
			return err
		}
	}
	return nil
}

// sqliteDeclared returns the columns as they stand in CREATE TABLE.
func sqliteDeclared(s Schema, micros bool) string {
	columns := make([]string, len(s))
	for i, c := range s {
		kind := "TEXT"
		switch c.Type {
		case Int, Bool:
			kind = "INTEGER"
		case Float:
			kind = "REAL"
		case Time:
			if micros {
				kind = "INTEGER"
			}
		}
		columns[i] = sqliteQuoted(c.Name) + " " + kind
	}
	return strings.Join(columns, ", ")
}

// sqliteQuoted returns a name as SQL has it.
func sqliteQuoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// exec runs a statement whose result is of no interest.
func (w *sqliteWriter) exec(statement string, values ...string) error {
	args := make([]driver.NamedValue, len(values))
	for i, v := range values {
		args[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	_, err := w.conn.(driver.ExecerContext).ExecContext(context.Background(), statement, args)
	return err
}

// start has the statement run until full is closed.
func (w *sqliteWriter) start(table string, s Schema) {
	w.full = make(chan *sqliteRows, 2)
	w.free = make(chan *sqliteRows, 2)
	for range cap(w.free) {
		w.free <- newSQLiteRows(s)
	}
	w.done = make(chan struct{})
	w.fed = sqliteFeed.add(&sqliteSource{columns: len(s), full: w.full, free: w.free})
	go func() {
		defer close(w.done)
		w.sql = w.insert(table)
	}()
}

// insert copies what Write gives into the table, and makes it last. The virtual table
// is a temporary one, which leaves no trace in the file.
func (w *sqliteWriter) insert(table string) error {
	for _, statement := range []string{
		"CREATE VIRTUAL TABLE temp." + sqliteBatches + " USING " + sqliteBatches + "(" + w.fed + ")",
		"INSERT INTO main." + sqliteQuoted(table) + " SELECT * FROM temp." + sqliteBatches,
		"DROP TABLE temp." + sqliteBatches,
		"COMMIT",
	} {
		if err := w.exec(statement); err != nil {
			return err
		}
	}
	return nil
}

// Write turns b into values and releases it. When the statement has ended before its
// time, as it does on a disk that is full, nobody takes the values any more: then
// Write tells what the statement told.
func (w *sqliteWriter) Write(b *Batch) error {
	defer b.Release()
	if w.err != nil {
		return w.err
	}
	select {
	case rows := <-w.free:
		if w.err = guarded(func() error { rows.fill(b, w.micros); return nil }); w.err != nil {
			return w.err
		}
		w.full <- rows // has room for all there are
		return nil
	case <-w.done: // before its time
		w.err = w.failed(w.sql)
		return w.err
	}
}

// failed returns err with the name of the file, nil for nil.
func (w *sqliteWriter) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("sqlite: %s: %w", w.name, err)
}

var errSQLiteClosed = errors.New("sqlite: the database is closed")

// Close ends the statement, which commits all rows, and closes the database. If that
// fails, or something failed before, it removes the file.
func (w *sqliteWriter) Close() error {
	if w.conn == nil {
		return w.err
	}
	close(w.full)
	<-w.done
	sqliteFeed.drop(w.fed)
	err := w.err
	if err == nil {
		err = w.failed(w.sql)
	}
	if e := w.close(); err == nil {
		err = w.failed(e)
	}
	if err != nil {
		w.err = err
		return errors.Join(err, w.remove())
	}
	w.err = errSQLiteClosed
	return nil
}

// close closes the database once.
func (w *sqliteWriter) close() error {
	if w.conn == nil {
		return nil
	}
	err := w.conn.Close()
	w.conn = nil
	return err
}

// remove removes the half of a file.
func (w *sqliteWriter) remove() error {
	w.close()
	return os.Remove(w.name)
}

// sqliteDriver opens databases. It alone knows the virtual table.
var sqliteDriver = func() *sqlite.Driver {
	d := &sqlite.Driver{}
	if err := d.RegisterModule(sqliteBatches, &sqliteFeed); err != nil {
		panic(err) // of a name that is there already
	}
	return d
}()
