package export

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func sqliteFile(t testing.TB, s Schema, o Options, batches []*Batch) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "rows.db")
	w, err := NewSQLite(name, s, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := writeBatches(w, copyBatches(batches, s.Pool())); err != nil {
		t.Fatal(err)
	}
	return name
}

func sqliteRoundTrip(t *testing.T, s Schema, o Options, batches []*Batch) {
	t.Helper()
	schema, seq, err := readSQLite(sqliteFile(t, s, o, batches))
	if err != nil {
		t.Fatal(err)
	}
	got, err := batchesIn(seq)
	if err != nil {
		t.Fatal(err)
	}
	sameTable(t, s, batches, schema, got)
}

func TestSQLiteExtremes(t *testing.T) {
	sqliteRoundTrip(t, everyColumn, Options{}, extremes())
	sqliteRoundTrip(t, everyColumn, Options{Micros: true}, extremes())
}

func TestSQLiteNoRows(t *testing.T) { sqliteRoundTrip(t, everyColumn, Options{}, nil) }

func TestSQLiteEmptyBatches(t *testing.T) {
	empty := everyColumn.NewBatch()
	sqliteRoundTrip(t, everyColumn, Options{}, []*Batch{empty, empty, extremes()[0], empty})
}

func TestSQLiteEmptyText(t *testing.T) {
	s := Schema{{Name: "t", Type: Text}}
	b := s.NewBatch()
	b.Cols[0].AddText("")
	b.Cols[0].AddAbsent()
	b.Len = 2
	sqliteRoundTrip(t, s, Options{}, []*Batch{b})
}

func TestSQLiteRandom(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for i := range 4 {
		var s Schema
		for i := range 1 + rng.IntN(10) {
			s = append(s, Column{Name: fmt.Sprintf("c%d", (i*7)%11), Type: ID + Type(rng.IntN(int(Time)))})
		}
		sqliteRoundTrip(t, s, Options{Micros: i%2 == 0}, randomBatches(rng, s, rng.IntN(3*BatchRows/2)))
	}
}

// The names of files and tables may have anything in them, and the database is one
// file.
func TestSQLiteNames(t *testing.T) {
	for _, name := range []string{"a?mode=memory", "50%3f", "a#b", ":memory:", "it's \"here\".db", "-wal"} {
		dir := t.TempDir()
		w, err := NewSQLite(filepath.Join(dir, name), everyColumn, Options{Table: `seen "now"; --`})
		if err != nil {
			t.Fatal(err)
		}
		batches := extremes()
		if err := writeBatches(w, copyBatches(batches, everyColumn.Pool())); err != nil {
			t.Fatal(err)
		}
		files, err := os.ReadDir(dir)
		if err != nil || len(files) != 1 || files[0].Name() != name {
			t.Errorf("files %v, %v; want %q alone", files, err, name)
		}
		schema, seq, err := readSQLite(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := batchesIn(seq)
		if err != nil {
			t.Fatal(err)
		}
		sameTable(t, everyColumn, batches, schema, got)
	}
}

func TestSQLiteInMemoryNot(t *testing.T) {
	t.Chdir(t.TempDir())
	w, err := NewSQLite(":memory:", everyColumn, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := readSQLite(":memory:"); err != nil {
		t.Error(err)
	}
}

// A file that is there is never touched.
func TestSQLiteExists(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(name, []byte("dear diary"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := NewSQLite(name, everyColumn, Options{})
	oneLine(t, err, name+" exists")
	if text, _ := os.ReadFile(name); string(text) != "dear diary" {
		t.Errorf("the file has %q now", text)
	}
}

// What cannot be a database leaves no file.
func TestSQLiteRefused(t *testing.T) {
	dir := t.TempDir()
	for want, c := range map[string]struct {
		s     Schema
		table string
	}{
		"no columns":               {Schema{}, ""},
		"two columns":              {Schema{{Name: "a", Type: Int}, {Name: "a", Type: Int}}, ""},
		"duplicate column name":    {Schema{{Name: "a", Type: Int}, {Name: "A", Type: Int}}, ""},
		"cannot be called Columns": {Schema{{Name: "a", Type: Int}}, "Columns"},
		"reserved":                 {Schema{{Name: "a", Type: Int}}, "sqlite_rows"},
	} {
		_, err := NewSQLite(filepath.Join(dir, "rows.db"), c.s, Options{Table: c.table})
		oneLine(t, err, want)
	}
	_, err := NewSQLite(filepath.Join(dir, "none", "rows.db"), everyColumn, Options{})
	oneLine(t, err, "no such file")
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Errorf("files left: %v", files)
	}
}

// A disk that is full is told, the half file is removed, and nobody is left at work.
func TestSQLiteWriteFails(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	one := contactBatches(1)[0]
	for _, n := range []int{1, 10} {
		name := filepath.Join(t.TempDir(), "rows.db")
		if err := newSQLiteFile(name); err != nil {
			t.Fatal(err)
		}
		w := &sqliteWriter{name: name}
		if err := w.open("rows", contactLike); err != nil {
			t.Fatal(err)
		}
		if err := w.exec("PRAGMA max_page_count = 10"); err != nil {
			t.Fatal(err)
		}
		w.start("rows", contactLike)
		batches := make([]*Batch, n)
		pool := freshPool(contactLike)
		for i := range batches {
			batches[i] = copyBatch(pool, one)
		}
		oneLine(t, writeBatches(w, batches), "full")
		releasedOnce(t, batches)
		if _, err := os.Stat(name); err == nil {
			t.Error("the half file is there")
		}
	}
}

func TestSQLiteReleasesOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	batches := copyBatches(randomBatches(rng, everyColumn, 5*BatchRows), freshPool(everyColumn))
	w, err := NewSQLite(filepath.Join(t.TempDir(), "rows.db"), everyColumn, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := writeBatches(w, batches); err != nil {
		t.Fatal(err)
	}
	releasedOnce(t, batches)
	if err := w.Write(everyColumn.NewBatch()); err == nil {
		t.Error("a batch was written after Close")
	}
}

// A batch that the schema does not fit is an error, and leaves no file.
func TestSQLiteWrongBatch(t *testing.T) {
	name := filepath.Join(t.TempDir(), "rows.db")
	w, err := NewSQLite(name, contactLike, Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := everyColumn.NewBatch()
	b.Len = 10
	if err := writeBatches(w, []*Batch{b}); err == nil {
		t.Error("no error")
	}
	if _, err := os.Stat(name); err == nil {
		t.Error("the half file is there")
	}
}

func TestSQLiteForeign(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, content, 0o666); err != nil {
			t.Fatal(err)
		}
		return name
	}
	ours, err := os.ReadFile(sqliteFile(t, everyColumn, Options{}, extremes()))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		filepath.Join(dir, "none"): "no such file",
		dir:                        "directory",
		file("nothing", nil):       "empty",
		file("text", []byte(strings.Repeat("x", 999))): "not a database",
		file("short", ours[:len(ours)/2]):              "malformed",
		foreignSQLite(t, "CREATE TABLE t (a)"):         "no such table: columns",
		foreignSQLite(t, "CREATE TABLE columns (a)"):   "not a database of ours",
		foreignSQLite(t, `CREATE TABLE columns ("table", name, type); INSERT INTO columns VALUES ('t', 'a', 'colour')`): `the type "colour"`,
		foreignSQLite(t, `CREATE TABLE columns ("table", name, type)`):                                                  "no columns",
	} {
		_, _, err := readSQLite(name)
		oneLine(t, err, want)
	}
}

// Values that do not fit their type are told with their column.
func TestSQLiteForeignValues(t *testing.T) {
	for value, kind := range map[string]string{
		"'x'": "id", "'10.0.0.256'": "addr", "'yesterday'": "time", "x'00'": "text", "'7 apples'": "int",
		"1.5": "int", "9e999": "float", "CAST(x'ff' AS TEXT)": "text", "'yes'": "bool",
	} {
		name := foreignSQLite(t, `CREATE TABLE columns ("table", name, type); CREATE TABLE t (a);
			INSERT INTO columns VALUES ('t', 'a', '`+kind+`'); INSERT INTO t VALUES (NULL), (`+value+`)`)
		_, seq, err := readSQLite(name)
		if err != nil {
			t.Fatal(err)
		}
		_, err = batchesIn(seq)
		oneLine(t, err, `column "a": `)
	}
}

func foreignSQLite(t *testing.T, statements string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "foreign.db")
	db, err := sql.Open("sqlite", name)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statements); err != nil {
		t.Fatal(err)
	}
	return name
}

// The loop over a database can be left at any batch, and begun again.
func TestSQLiteBreak(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	_, seq, err := readSQLite(sqliteFile(t, contactLike, Options{}, contactBatches(2)))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for b, err := range seq {
			if err != nil || b.Len != BatchRows {
				t.Fatal(b, err)
			}
			b.Release()
			break
		}
	}
}

// SQLite itself, as Python has it, reads the same and finds nothing wrong.
func TestSQLitePython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 to read the database with")
	}
	if exec.Command(python, "-c", "import sqlite3").Run() != nil {
		t.Skip("this python3 has no module sqlite3")
	}
	const script = `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
print(db.execute("PRAGMA integrity_check").fetchone()[0])
print(db.execute("SELECT count(*), count(ip), min(count), max(count) FROM rows").fetchone())
print(db.execute('SELECT zone, ip, "order", at, share FROM rows WHERE count = -1').fetchone())
print(db.execute('SELECT DISTINCT typeof(zone), typeof(count), typeof(share), typeof("order"), typeof(at) FROM rows WHERE ip IS NOT NULL').fetchall())
print([len(t) for (t,) in db.execute('SELECT "a ""text""; --" FROM rows WHERE ip IS NOT NULL')])
print(db.execute("SELECT * FROM columns LIMIT 1").fetchone())
`
	batches := extremes()
	out, err := exec.Command(python, "-c", script, sqliteFile(t, everyColumn, Options{}, batches)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := fmt.Sprintf(`ok
(7, 6, -9223372036854775808, 9223372036854775807)
('%s', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe', 0, '1970-01-01T00:00:00.000000Z', 0.0)
[('text', 'integer', 'real', 'integer', 'text')]
[1, 3, 22, 1, 1, 100000]
('rows', 'zone', 'id')
`, batches[0].Cols[0].IDs[3])
	if string(out) != want {
		t.Errorf("python read\n%swant\n%s", out, want)
	}
}

func BenchmarkSQLiteWrite(b *testing.B) {
	dir := b.TempDir()
	benchmarkContacts(b, func(round int) Writer {
		os.Remove(filepath.Join(dir, fmt.Sprint(round-1)))
		w, err := NewSQLite(filepath.Join(dir, fmt.Sprint(round)), contactLike, Options{})
		if err != nil {
			b.Fatal(err)
		}
		return w
	})
}

func BenchmarkSQLiteRead(b *testing.B) {
	name := sqliteFile(b, contactLike, Options{}, contactBatches(16))
	rows := 0
	for b.Loop() {
		_, seq, err := readSQLite(name)
		if err != nil {
			b.Fatal(err)
		}
		for batch, err := range seq {
			if err != nil {
				b.Fatal(err)
			}
			rows += batch.Len
			batch.Release()
		}
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}
