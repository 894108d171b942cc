package dataset

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/pseudonym"
)

// Store is a folder of runs, all of one network. Its methods may be called from
// any goroutine, and any number of processes may have it open.
type Store struct {
	dir  string
	head storeHead
	key  *pseudonym.Key // of infohashes; nil when it is spoilt

	// Problem is told of what was found spoilt and passed over, and of what could
	// not be sorted; nil: nobody. It is set before the store is used, may be called
	// from several goroutines, and does not wait for a run.
	Problem func(error)
}

// storeHead is store.json.
type storeHead struct {
	Format  int       `json:"format"`
	Network string    `json:"network"`
	Created time.Time `json:"created"`
	Key     string    `json:"infohash_key"` // 64 hex digits, secret
}

// ErrNoStore is about a folder in which there is no store.
var ErrNoStore = errors.New("no store")

// Open opens the store in the folder dir.
func Open(dir string) (*Store, error) {
	name := filepath.Join(dir, storeFile)
	b, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return nil, noStore(dir)
	case err != nil:
		return nil, err
	}
	s := &Store{dir: dir}
	if err := readJSON(name, b, &s.head); err != nil {
		return nil, err
	}
	if s.head.Network == "" {
		return nil, fmt.Errorf("%s: names no network: %w", name, errForeign)
	}
	s.key, _ = pseudonym.ParseKey([]byte(s.head.Key)) // Begin tells of one that is spoilt
	return s, nil
}

// noStore says what there is instead of a store.
func noStore(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w there", dir, ErrNoStore)
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s: %w: it is a file", dir, ErrNoStore)
	}
	return fmt.Errorf("%s: %w: there is no %s in it", dir, ErrNoStore, storeFile)
}

// OtherNetworkError is that a store is of another network.
type OtherNetworkError struct {
	Dir, Is, Want string
}

// Error says which networks they are.
func (e *OtherNetworkError) Error() string {
	return fmt.Sprintf("%s: a store of the network %s, not of %s", e.Dir, e.Is, e.Want)
}

// Create opens the store of a network in the folder dir, and makes it when there
// is none: in no folder that has other things in it. A store of another network is
// an *[OtherNetworkError].
func Create(dir, network string) (*Store, error) {
	s, err := Open(dir)
	if errors.Is(err, ErrNoStore) {
		if err := found(dir, network); err != nil {
			return nil, err
		}
		s, err = Open(dir)
	}
	if err != nil {
		return nil, err
	}
	if s.head.Network != network {
		return nil, &OtherNetworkError{dir, s.head.Network, network}
	}
	if err := os.Mkdir(s.runs(), 0o700); errors.Is(err, fs.ErrExist) {
		return s, nil
	} else if err != nil {
		return nil, err
	}
	return s, syncFolder(dir)
}

// found makes an empty store, unless somebody else does at the same time.
func found(dir, network string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	syncFolder(filepath.Dir(dir)) // which may be somebody else's
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == storeFile }) {
		return nil // somebody just made it
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") || !strings.Contains(e.Name(), storeFile) {
			return fmt.Errorf("%s: %w, and not empty: name a new folder", dir, ErrNoStore)
		}
	}
	var key [32]byte
	rand.Read(key[:])
	file, err := os.CreateTemp(dir, "."+storeFile+"-*")
	if err != nil {
		return err
	}
	file.Close()
	defer os.Remove(file.Name())
	head := storeHead{format, network, time.Now().UTC().Round(0), hex.EncodeToString(key[:])}
	if err := writeJSON(file.Name(), head); err != nil {
		return err
	}
	if err := putOnce(file.Name(), filepath.Join(dir, storeFile)); err != nil {
		return err
	}
	return syncFolder(dir)
}

// putOnce gives a whole file its name, unless there is one of that name. Where files
// cannot have two names, two processes that do so at the same moment may both.
func putOnce(from, name string) error {
	err := os.Link(from, name)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	if _, there := os.Lstat(name); there == nil {
		return nil
	}
	return os.Rename(from, name)
}

// Dir returns the folder.
func (s *Store) Dir() string { return s.dir }

// Network returns the name of the network.
func (s *Store) Network() string { return s.head.Network }

// Created returns when the store was made.
func (s *Store) Created() time.Time { return s.head.Created }

func (s *Store) runs() string { return filepath.Join(s.dir, runsFolder) }

func (s *Store) runDir(id RunID) string { return filepath.Join(s.runs(), id.String()) }

func (s *Store) problem(err error) {
	if s.Problem != nil && err != nil {
		s.Problem(err)
	}
}

// Hash returns what is kept in the place of an infohash: a hash under the secret
// key of this store. Two stores have different ones. Of a store whose key is spoilt,
// in which no run can be begun, it is the zero ID.
func (s *Store) Hash(infohash kad.ID) kad.ID {
	if s.key == nil {
		return kad.ID{}
	}
	return s.key.Hash(infohash)
}

// KeyFingerprint names the key of Hash without giving it away; "" when it is spoilt.
func (s *Store) KeyFingerprint() string {
	if s.key == nil {
		return ""
	}
	return s.key.Fingerprint()
}

// RunInfo is a run of a store.
type RunInfo struct {
	ID       RunID
	Manifest *Manifest // nil when it cannot be read: see Err
	Live     bool      // it goes on
	Err      error
	dir      string
	held     bool // its writer, or who puts it in order, is at it
}

// ended is when a run's contacts are judged: at its end, or now while it goes on.
func (r *RunInfo) ended(now time.Time) Stamp {
	if r.Live || r.Manifest == nil || r.Manifest.End.IsZero() {
		return StampOf(now)
	}
	return StampOf(r.Manifest.End)
}

// Runs returns all runs, in the order of their beginning.
func (s *Store) Runs() ([]RunInfo, error) {
	entries, err := os.ReadDir(s.runs())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var all []RunInfo
	for _, e := range entries {
		id, err := ParseRunID(e.Name())
		if err != nil || !e.IsDir() {
			continue // foreign, which Verify tells
		}
		all = append(all, s.run(id))
	}
	slices.SortFunc(all, func(a, b RunInfo) int { return a.ID.Compare(b.ID) })
	return all, nil
}

// run looks at one run. The lock comes first: of a run that ends between the two
// the manifest says so.
func (s *Store) run(id RunID) RunInfo {
	r := RunInfo{ID: id, dir: s.runDir(id)}
	r.held = locked(filepath.Join(r.dir, lockFile))
	r.Manifest, r.Err = readManifest(r.dir)
	r.Live = r.held && (r.Manifest == nil || r.Manifest.State == Running)
	switch {
	case r.Err != nil && r.Live && errors.Is(r.Err, fs.ErrNotExist):
		r.Err = nil // it just begins
	case errors.Is(r.Err, fs.ErrNotExist):
		r.Err = fmt.Errorf("%s: %w", r.dir, errNoManifest)
	case r.Err == nil && r.Manifest.Network != s.head.Network:
		r.Err = fmt.Errorf("%s: %w; left out", r.dir, &OtherNetworkError{r.ID.String(), r.Manifest.Network, s.head.Network})
	case r.Err == nil && r.Manifest.Run != id:
		r.Err = fmt.Errorf("%s: %w; left out", r.dir, errRenamed)
	}
	return r
}
