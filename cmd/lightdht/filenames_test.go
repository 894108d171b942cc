package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestRealName(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	if err := os.Mkdir(at("d"), 0o777); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{
		"l": "d/f", "d/up": filepath.FromSlash("../l"), "folder": "d", "abs": at("folder/g"), "round": "about", "about": "round", "lost": "nosuch/f",
	} {
		if err := os.Symlink(to, at(link)); err != nil {
			t.Skip(err)
		}
	}
	for name, want := range map[string]string{
		"f": "f", "d/f": "d/f", "l": "d/f", "d/up": "d/f", "folder/f": "d/f", "folder/up": "d/f", "abs": "d/g", "folder": "d",
	} {
		if got, err := realName(at(name)); err != nil || got != at(want) {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, want)
		}
	}
	for _, name := range []string{"round", "lost", "nosuch/f"} {
		if got, err := realName(at(name)); err == nil {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

// A ledger that may not be written is not replaced either, though the folder
// would let that be done.
func TestLedgerNotWritable(t *testing.T) {
	if runtime.GOOS == "windows" || os.Geteuid() == 0 {
		t.Skip("may write everything")
	}
	name := filepath.Join(t.TempDir(), "ledger.csv")
	if err := os.WriteFile(name, []byte("dear"), 0o444); err != nil {
		t.Fatal(err)
	}
	r := &nodeRun{nodeOptions: nodeOptions{ledger: name}}
	if err := r.checkFiles(); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v", err)
	}
}
