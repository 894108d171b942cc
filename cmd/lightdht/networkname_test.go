package main

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/lightdht/lightdht/lightdht"
)

func TestParseNetwork(t *testing.T) {
	for text, want := range map[string]struct {
		kind lightdht.Network
		name string
	}{
		"auto": {lightdht.Auto, ""}, "public": {lightdht.Public, ""}, "private": {lightdht.Private, ""},
		"private:lab": {lightdht.Private, "lab"}, "private:a-0": {lightdht.Private, "a-0"}, "private:testnet": {lightdht.Private, "testnet"},
		"private:" + strings.Repeat("x", 64): {lightdht.Private, strings.Repeat("x", 64)},
	} {
		if kind, name, err := parseNetwork(text); err != nil || kind != want.kind || name != want.name {
			t.Errorf("%s: got %v, %q, %v", text, kind, name, err)
		}
	}
	for _, text := range []string{
		"", "Public", "lab", "public:lab", "auto:lab", "private:", "private:Lab", "private:..", "private:a/b", "private:a b", "private:public",
		"private:private", "private:auto", "private:testnet-1-5", "private:testnet-", "private:" + strings.Repeat("x", 65), "private:lab\n",
	} {
		if kind, name, err := parseNetwork(text); err == nil {
			t.Errorf("%q: read as %v, %q", text, kind, name)
		}
	}
}

// The usual store is below $XDG_DATA_HOME, else below where the system has such
// things.
func TestDefaultStore(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("LocalAppData", home)
	below := map[string]string{"windows": home, "darwin": filepath.Join(home, "Library", "Application Support")}[runtime.GOOS]
	if below == "" {
		below = filepath.Join(home, ".local", "share")
	}
	named := filepath.Join(home, "data")
	for data, want := range map[string]string{"": below, named: named, "relative": below} {
		t.Setenv("XDG_DATA_HOME", data)
		if got, err := defaultStore("lab"); err != nil || got != filepath.Join(want, "lightdht", "lab") {
			t.Errorf("with %q: got %s, %v", data, got, err)
		}
	}
	for _, none := range []string{"", "relative"} {
		t.Setenv("XDG_DATA_HOME", "")
		t.Setenv("HOME", none)
		t.Setenv("LocalAppData", "")
		if runtime.GOOS == "windows" && none != "" {
			continue
		}
		if got, err := defaultStore("lab"); err == nil || !strings.Contains(err.Error(), "--no-store") {
			t.Errorf("with HOME=%q: got %s, %v", none, got, err)
		}
	}
}

// The name of a test network tells its size; no other name does.
func TestTestnetNodes(t *testing.T) {
	if n := testnetNodes(testnetName(7, 200)); n == nil || *n != 200 {
		t.Errorf("got %v, want 200", n)
	}
	for _, name := range []string{"", "public", "testnet-", "testnet-1", "testnet-1-", "testnet-1-2-3", "testnet-1-02", "testnet-x-2", "mytestnet-1-2"} {
		if n := testnetNodes(name); n != nil {
			t.Errorf("%q has %d nodes", name, *n)
		}
	}
}
