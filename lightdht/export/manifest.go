package export

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/pseudonym"
)

// Manifest is the story of an exported file, beside which it stands as
// FILE.manifest.json: what it is, where it comes from, and what was left out.
type Manifest struct {
	Format  int          `json:"format"` // 1
	File    string       `json:"file"`   // without its folder
	Bytes   int64        `json:"bytes"`
	SHA256  string       `json:"sha256"`
	Made    time.Time    `json:"made"`
	Tool    dataset.Tool `json:"tool"`
	What    What         `json:"what"`
	Form    Format       `json:"form"`
	Rows    int64        `json:"rows"`
	Columns []ColumnInfo `json:"columns"`

	Filter map[string]string `json:"filter,omitempty"` // the flags that chose rows and columns
	Share  *ShareInfo        `json:"share,omitempty"`  // absent: nothing stands under a pseudonym

	Network  string             `json:"network"`
	Runs     []dataset.Manifest `json:"runs"` // that rows may come from; shared data: without what tells where they were made
	Problems []string           `json:"problems,omitempty"`
}

// Write puts the manifest of a whole file beside it, with its size and checksum,
// which are measured unless the checksum is there already:
// all of it, or an error and no manifest, not even one of a file that stood there
// before.
func (m Manifest) Write(name string) error {
	err := m.measure(name)
	if err == nil {
		var b []byte
		if b, err = json.MarshalIndent(m, "", "  "); err == nil {
			err = replace(name+ManifestEnding, append(b, '\n'))
		}
	}
	if err == nil {
		return nil
	}
	if info, e := os.Lstat(name + ManifestEnding); e == nil && info.Mode().IsRegular() {
		os.Remove(name + ManifestEnding)
	}
	return fmt.Errorf("%s: %w", name+ManifestEnding, err)
}

// measure fills in what there is to say of the file itself.
func (m *Manifest) measure(name string) error {
	m.Format, m.File, m.Made = 1, filepath.Base(name), time.Now().UTC().Truncate(time.Second)
	if m.SHA256 != "" {
		return nil
	}
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	h := sha256.New()
	if m.Bytes, err = io.Copy(h, file); err != nil {
		return err
	}
	m.SHA256 = hex.EncodeToString(h.Sum(nil))
	return nil
}

// replace writes a file in the place of one of this name, or none: readers find the
// one or the other, whole. What replaces a file has its permissions, and a link
// stays one. Errors do not say which file they are about.
func replace(name string, content []byte) (err error) {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	mode := fs.FileMode(0o666)
	old, none := os.Stat(name)
	if none == nil {
		mode = old.Mode().Perm()
	}
	dir, base := filepath.Split(name)
	tmp := filepath.Join(dir, fmt.Sprintf(".%s-%08x", base, rand.Uint32()))
	file, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return cause(err)
	}
	_, err = file.Write(content)
	err = cmp.Or(err, file.Sync(), file.Close())
	if err == nil && none == nil {
		err = os.Chmod(tmp, mode) // whatever the umask
	}
	if err == nil {
		err = os.Rename(tmp, name)
	}
	if err != nil {
		os.Remove(tmp)
	}
	return cause(err)
}

// cause returns what an error about a file says without its name.
func cause(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// ManifestEnding is how the name of a manifest ends, after that of its file.
const ManifestEnding = ".manifest.json"

// ColumnInfo is a column of an exported file.
type ColumnInfo struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// ShareInfo says how data was made fit to be shared.
type ShareInfo struct {
	Key        string   `json:"key"` // its fingerprint: the same for files under one key
	Addresses  string   `json:"addresses"`
	IDs        string   `json:"ids"`
	Infohashes string   `json:"infohashes"`
	LeftOut    []string `json:"left_out"` // private columns
}

// Describe fills in what a manifest says of the columns of a table; a key that is
// not nil has them shared.
func (m *Manifest) Describe(s Schema, key *pseudonym.Key) {
	shown := s
	if key != nil {
		shown = s.Shared()
		m.Share = &ShareInfo{
			Key:        key.Fingerprint(),
			Addresses:  "Crypto-PAn over a keyed permutation: common prefixes keep their lengths",
			IDs:        "keyed permutation of 160 bits: common prefixes keep their lengths",
			Infohashes: "HMAC-SHA256, the first 160 bits",
			LeftOut:    []string{},
		}
		for _, c := range s {
			if c.Private {
				m.Share.LeftOut = append(m.Share.LeftOut, c.Name)
			}
		}
	}
	m.Columns = nil
	for _, c := range shown {
		m.Columns = append(m.Columns, ColumnInfo{c.Name, c.Type.String()})
	}
}

// About fills in the runs that a filter picks; a key that is not nil has them
// shared: their vantages under pseudonyms, without addresses; no parameters or
// errors, which may name hosts; no seed, from which IDs may follow; and no files,
// by whose checksums one could be recognized.
func (m *Manifest) About(runs []dataset.RunInfo, f *dataset.Filter, key *pseudonym.Key) {
	m.Runs = []dataset.Manifest{}
	for _, r := range runs {
		if r.Manifest == nil || !f.Picks(r.ID) {
			continue
		}
		run := *r.Manifest
		if key != nil {
			run.Parameters, run.Error, run.Seed, run.Files = nil, "", nil, []dataset.File{}
			vantages := run.Vantages
			run.Vantages = nil
			for _, v := range vantages {
				run.Vantages = append(run.Vantages, dataset.Vantage{ID: key.ID(v.ID), Local: []string{}})
			}
		}
		m.Runs = append(m.Runs, run)
	}
}
