package export

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/pseudonym"
)

// fullManifest is one of a run that says something in every field.
func fullManifest(t *testing.T) dataset.Manifest {
	seed := uint64(7)
	m := dataset.Manifest{
		Format: 1, Run: dataset.RunID{1}, Network: "public", Tool: dataset.Tool{Name: "secret"}, Command: "lookup",
		Parameters: map[string]string{"bootstrap": "secret"}, Seed: &seed,
		Vantages: []dataset.Vantage{{ID: kad.ID{2}, Local: []string{"secret"}, External: []string{"secret"}}},
		Start:    time.Unix(1, 0), End: time.Unix(2, 0), State: dataset.Stopped, Error: "secret",
		ClockSteps: []dataset.ClockStep{{By: "1s"}}, Infohashes: "raw", KeepSightings: true,
		Rows: map[string]uint64{"queries": 1}, Drops: map[string]uint64{"malformed": 1}, Counters: map[string]uint64{"packets_in": 1},
		Files: []dataset.File{{Name: "secret", SHA256: "secret"}},
	}
	for field, value := range reflect.ValueOf(m).Fields() {
		if value.IsZero() {
			t.Fatalf("%s is empty: fill it in here, and say below whether it is shared", field.Name)
		}
	}
	return m
}

// Of a run that is shared nothing is told but what is on this list.
func TestAboutShared(t *testing.T) {
	kept := []string{
		"Format", "Run", "Network", "Tool", "Command", "Start", "End", "State", "ClockSteps", "Infohashes", "KeepSightings", "Rows", "Drops", "Counters",
	}
	key, err := pseudonym.ParseKey([]byte("6f3c9d2e8a71b45f0c2d7e91a3b8f64d5e0a1c7b92f83d46e1a5c08b7d29f3e4"))
	if err != nil {
		t.Fatal(err)
	}
	run := fullManifest(t)
	var m Manifest
	m.About([]dataset.RunInfo{{Manifest: &run}}, &dataset.Filter{}, key)
	was, is := reflect.ValueOf(run), reflect.ValueOf(m.Runs[0])
	for i := range was.NumField() {
		name := was.Type().Field(i).Name
		same := reflect.DeepEqual(was.Field(i).Interface(), is.Field(i).Interface())
		switch {
		case slices.Contains(kept, name):
			if !same {
				t.Errorf("%s became %v", name, is.Field(i))
			}
		case name == "Vantages":
			want := []dataset.Vantage{{ID: key.ID(kad.ID{2}), Local: []string{}}}
			if !reflect.DeepEqual(m.Runs[0].Vantages, want) {
				t.Errorf("vantages %v, want %v", m.Runs[0].Vantages, want)
			}
		case !is.Field(i).IsZero() && (is.Field(i).Kind() != reflect.Slice || is.Field(i).Len() > 0):
			t.Errorf("%s is told: %v", name, is.Field(i))
		}
	}
	if b, _ := json.Marshal(m.Runs[0]); strings.Contains(string(b), "null") {
		t.Errorf("a list is null: %s", b)
	}
	m.About([]dataset.RunInfo{{Manifest: &run}}, &dataset.Filter{}, nil)
	if !reflect.DeepEqual(m.Runs[0], run) {
		t.Errorf("without a key it became %v", m.Runs[0])
	}
}

// A manifest that cannot be written leaves nothing beside its file.
func TestManifestNotWritten(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "x.csv")
	if err := os.WriteFile(name, []byte("id"), 0o600); err != nil {
		t.Fatal(err)
	}
	os.MkdirAll(filepath.Join(dir, "x.csv.manifest.json", "occupied"), 0o700)
	err := Manifest{}.Write(name)
	if err == nil || !strings.HasPrefix(err.Error(), name+ManifestEnding+": ") || strings.Count(err.Error(), "manifest.json") != 1 {
		t.Errorf("got %v", err)
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 2 {
		t.Errorf("%v is left", entries)
	}
}

// The manifest of a file that is gone is taken away with it.
func TestManifestOfAnother(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.csv")
	os.WriteFile(name+ManifestEnding, []byte("{}"), 0o600)
	if err := (Manifest{}).Write(name); err == nil {
		t.Error("there is no file, and it has a manifest")
	}
	if _, err := os.Stat(name + ManifestEnding); err == nil {
		t.Error("it is still there")
	}
}

// One that is replaced keeps its permissions; if it is a link it stays one.
func TestManifestReplaced(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links and permissions are others")
	}
	dir := t.TempDir()
	name, other := filepath.Join(dir, "x.csv"), filepath.Join(dir, "other")
	os.WriteFile(name, nil, 0o600)
	os.WriteFile(other, nil, 0o600)
	os.Chmod(other, 0o666)
	if err := os.Symlink("other", name+ManifestEnding); err != nil {
		t.Fatal(err)
	}
	if err := (Manifest{}).Write(name); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(name + ManifestEnding); to != "other" {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	info, err := os.Stat(other)
	if err != nil || info.Mode().Perm() != 0o666 || info.Size() < 10 {
		t.Errorf("got %v, %v", info, err)
	}
}
