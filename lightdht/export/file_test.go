package export

import (
	"os"
	"testing"
)

// fileWriter writes into a file of its own.
func fileWriter(t *testing.T, name string, f Format, s Schema, o Options) (Writer, func()) {
	t.Helper()
	if f == SQLite {
		w, err := NewSQLite(name, s, o)
		if err != nil {
			t.Fatal(err)
		}
		return w, func() {}
	}
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWriter(file, f, s, o)
	if err != nil {
		t.Fatal(err)
	}
	return w, func() {
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
