package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/lightdht/lightdht/lightdht/export"
	"github.com/lightdht/lightdht/lightdht/kad"
)

// dumpOf begins a dump of one row to a file.
func dumpOf(t *testing.T, name string, f export.Format) (*dumpFile, error) {
	t.Helper()
	d := &dumping{out: place{name: name}, format: f}
	if err := d.out.find(io.Discard, f); err != nil {
		return nil, err
	}
	schema := export.Schema{{Name: "id", Type: export.ID}}
	o, err := d.create(io.Discard, schema)
	if err != nil {
		return nil, err
	}
	b := schema.NewBatch()
	b.Cols[0].AddID(kad.ID{})
	b.Len++
	return o, o.Write(b)
}

// dumped writes a dump of one row to a file.
func dumped(t *testing.T, name string, f export.Format) {
	t.Helper()
	o, err := dumpOf(t, name, f)
	if err == nil {
		err = o.end(nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// onlyIn fails unless a folder has nothing but these names.
func onlyIn(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		t.Errorf("%s has %q, want %q", dir, got, names)
	}
}

// An interruption leaves the file that there was, or none, and tells which.
func TestDumpInterrupted(t *testing.T) {
	for _, f := range []export.Format{export.CSV, export.Parquet, export.SQLite} {
		dir := t.TempDir()
		name := filepath.Join(dir, "x")
		for left, there := range map[string]bool{" was not made": false, " stays as it was": true} {
			if there {
				os.WriteFile(name, []byte("dear"), 0o600)
			}
			o, err := dumpOf(t, name, f)
			if err != nil {
				t.Fatal(err)
			}
			if err := o.left(o.end(context.Canceled)); err != (interruptedError{name + left}) {
				t.Errorf("%s: got %v, want %s%s", f, err, name, left)
			}
			if !there {
				onlyIn(t, dir)
			} else if b, _ := os.ReadFile(name); string(b) != "dear" {
				t.Errorf("%s: became %q", f, b)
			}
			os.Remove(name)
		}
	}
}

// A new file has the permissions of any, one that is replaced keeps those it has.
func TestDumpPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("has no such permissions")
	}
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	file, err := os.Create(plain)
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	for _, f := range []export.Format{export.CSV, export.Parquet, export.SQLite} {
		name := filepath.Join(dir, string(f))
		dumped(t, name, f)
		if got, want := modeOf(t, name), modeOf(t, plain); got != want {
			t.Errorf("%s: %o, want %o", f, got, want)
		}
		for _, mode := range []os.FileMode{0o600, 0o666} {
			os.Chmod(name, mode)
			dumped(t, name, f)
			if got := modeOf(t, name); got != mode {
				t.Errorf("%s: %o replaced by %o", f, mode, got)
			}
		}
	}
}

func modeOf(t *testing.T, name string) os.FileMode {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

// A link stays one, and what it leads to is replaced.
func TestDumpThroughLinks(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("data", filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	for range 2 { // there is no such file, then there is
		dumped(t, filepath.Join(dir, "link"), export.CSV)
		onlyIn(t, dir, "data", "link")
		if to, err := os.Readlink(filepath.Join(dir, "link")); err != nil || to != "data" {
			t.Fatalf("the link leads to %q, %v", to, err)
		}
	}
}

// Errors name the file, not what it is called until it is whole.
func TestDumpErrorsNameTheFile(t *testing.T) {
	o := &dumpFile{place: &place{name: "x.csv"}, tmp: "/tmp/.x.csv-1"}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&os.PathError{Op: "write", Path: o.tmp, Err: io.ErrShortWrite}, "-o x.csv: short write"},
		{&os.LinkError{Op: "rename", Old: o.tmp, New: "/tmp/x.csv", Err: io.ErrShortWrite}, "-o x.csv: short write"},
		{errors.New("sqlite: " + o.tmp + ": full"), "-o x.csv: sqlite: full"},
		{errors.New("no " + o.tmp), "-o x.csv: no x.csv"},
	} {
		if got := o.named(tt.err); got.Error() != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
	if o.named(nil) != nil {
		t.Error("no error became one")
	}
}

// What is written in place is not replaced, whatever it is.
func TestInSystem(t *testing.T) {
	for name, want := range map[string]bool{
		"/dev/stdout": true, "/dev/fd/3": true, "/proc/self/fd/1": true, "/dev/shm/x": false, "/device": false, "/tmp/dev/x": false,
	} {
		if got := inSystem(name); got != want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}
