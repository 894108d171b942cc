package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Manifest is the story of a run: manifest.json in its folder.
type Manifest struct {
	Format  int    `json:"format"` // 1
	Run     RunID  `json:"run"`
	Network string `json:"network"`
	Tool    Tool   `json:"tool"`

	Command    string            `json:"command,omitempty"`
	Parameters map[string]string `json:"parameters,omitempty"` // flags that were given, without what names content
	Seed       *uint64           `json:"seed,omitempty"`
	Vantages   []Vantage         `json:"vantages,omitempty"`

	Start time.Time `json:"start"`
	End   time.Time `json:"end,omitzero"` // zero while it goes on; of a crashed one its last row
	State State     `json:"state"`
	Error string    `json:"error,omitempty"` // why its journal stopped, or not all is sorted

	ClockSteps    []ClockStep       `json:"clock_steps,omitempty"`
	Infohashes    string            `json:"infohashes"` // "raw", or "hashed" and the fingerprint of the key
	KeepSightings bool              `json:"keep_sightings"`
	Rows          map[string]uint64 `json:"rows"`     // by kind; of sightings: those that were recorded, of "tallies" those that were written
	Drops         map[string]uint64 `json:"drops"`    // every counter of what was dropped, the store's own among them
	Counters      map[string]uint64 `json:"counters"` // the others of the node
	Files         []File            `json:"files"`    // that are complete
}

// Contacts returns how many contacts a run has, as far as its manifest tells: one
// that is in several of its files is counted in each, and one of a run that goes on
// each time that it was written. Compact leaves one file.
func (m *Manifest) Contacts() (n uint64) {
	if m.State == Running {
		return m.Rows["tallies"]
	}
	for _, f := range m.Files {
		if d, ok := parseDataFile(f.Name); ok && d.sort != sortRows {
			n += f.Rows
		}
	}
	return n
}

// State is how far a run came.
type State string

// The states of a run.
const (
	Running State = "running" // it goes on; or it crashed, when nobody holds its lock
	Ended   State = "ended"   // it ended as it should
	Stopped State = "stopped" // it ended, but its journal did before: see Error
	Crashed State = "crashed" // it was found unended, and mended
)

// Tool is the program that made a run.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	Commit  string `json:"commit,omitempty"` // with "+" when the source was changed since
	Go      string `json:"go"`
	System  string `json:"system"` // such as linux/amd64
}

// ThisTool describes the running program.
func ThisTool(name, version string) Tool {
	t := Tool{Name: name, Version: version, Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return t
	}
	dirty := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			t.Commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+"
		}
	}
	if t.Commit != "" {
		t.Commit += dirty
	}
	return t
}

// Vantage is a node that a run was made with.
type Vantage struct {
	ID       kad.ID   `json:"id"`
	Local    []string `json:"local"`              // where it listened, host:port
	External []string `json:"external,omitempty"` // where others saw it, IP addresses
}

// ClockStep is that the wall clock was stepped, or the machine slept.
type ClockStep struct {
	At time.Time `json:"at"`
	By string    `json:"by"` // such as "-1m2s"; forward without a sign
}

// File is a file of a run that is not written to any more.
type File struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	Rows   uint64 `json:"rows"`
	SHA256 string `json:"sha256"`
}

// readManifest reads the manifest in the folder of a run.
func readManifest(dir string) (*Manifest, error) {
	name := filepath.Join(dir, manifestFile)
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var m Manifest
	if err := readJSON(name, b, &m); err != nil {
		return nil, err
	}
	return &m, nil
}

// write puts the manifest into the folder of its run.
func (m *Manifest) write(dir string) error { return writeJSON(filepath.Join(dir, manifestFile), m) }

// format is the version of the form of stores and manifests.
const format = 1

// readJSON reads a JSON file that says in "format" which form it has.
func readJSON(name string, content []byte, to any) error {
	var form struct{ Format int }
	if err := json.Unmarshal(content, &form); err != nil {
		return fmt.Errorf("%s: %w: %w", name, errSpoilt, err)
	}
	if form.Format > format {
		return fmt.Errorf("%s: %w", name, errNewer)
	}
	if form.Format < 1 {
		return fmt.Errorf("%s: %w", name, errForeign)
	}
	if err := json.Unmarshal(content, to); err != nil {
		return fmt.Errorf("%s: %w: %w", name, errSpoilt, err)
	}
	return nil
}

var (
	errForeign    = errors.New("not written by lightdht")
	errSpoilt     = errors.New("spoilt, or only half copied")
	errNoManifest = errors.New("has no " + manifestFile + ": half copied, or it crashed when it began")
	errRenamed    = errors.New("says that it is another run: copied under another name")
)

func writeJSON(name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return replace(name, append(b, '\n'))
}
