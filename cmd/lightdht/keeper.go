package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/urfave/cli/v2"
)

// keeper keeps what a command learns in a store, and has what others learned
// before from there. It is opened before the nodes, told of them when they listen,
// and closed after them. A nil keeper keeps nothing.
type keeper struct {
	store     *dataset.Store
	run       *dataset.Run
	claim     *dataset.Claim // nil: another process is who the store remembers
	given     bool           // our ID was given, and is not to be remembered
	throwaway bool           // the store is removed at the end
	say       func(format string, args ...any)
	log       func(msg string, args ...any)

	cancel     context.CancelFunc // ends what goes on in the background
	background chan struct{}      // closed when that has ended; nil: it never began

	mu    sync.Mutex
	nodes []*lightdht.Node
	saved dataset.Identity  // that claim saved last
	rows  map[string]uint64 // by kind, when the manifest was written last
	told  map[string]bool   // problems
}

// openKeeper begins a run in the store that the flags name, of the network that a
// node listening there is in, and has cfg record into it. It returns nil when
// nothing is to be kept.
func openKeeper(c *cli.Context, cfg *lightdht.Config, listen string, say func(string, ...any)) (*keeper, error) {
	how, err := readKeeping(c)
	if err != nil || how.off {
		return nil, err
	}
	k := &keeper{say: say, log: cfg.Logger.Info, told: map[string]bool{}, cancel: func() {}}
	network := networkName(c, *cfg, listen)
	if how.dir == "" && countOf(c, "testnet") > 0 {
		k.throwaway = true
		if how.dir, err = os.MkdirTemp("", "lightdht-store-*"); err != nil {
			return nil, adviseStore(err)
		}
	}
	if k.store, err = openStoreOf(how.dir, network); err == nil {
		k.store.Problem = k.problem
		how.set.Trouble, how.set.Describe, how.set.Good = k.trouble, k.describe, k.good
		k.run, err = k.store.Begin(story(c), how.set)
	}
	if err != nil {
		k.discard(how.dir)
		return nil, adviseStore(err)
	}
	k.remember(cfg, c.IsSet("id") || c.IsSet("ids") && c.IsSet("seed"))
	cfg.Recorder = k.run
	return k, nil
}

// openStoreOf opens the store of a network in a folder, or in its usual place
// when that is "", and makes it when there is none.
func openStoreOf(dir, network string) (*dataset.Store, error) {
	if dir == "" {
		var err error
		if dir, err = defaultStore(network); err != nil {
			return nil, err
		}
	}
	return dataset.Create(dir, network)
}

// adviseStore adds to an error of a store what to do next.
func adviseStore(err error) error {
	var other *dataset.OtherNetworkError
	switch {
	case errors.As(err, &other):
		return fmt.Errorf("%w: name another folder with --store, or another network with --network", err)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w: make room, or name another place with --store DIR", err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w: name another place with --store DIR, or keep nothing with --no-store", err)
	case strings.Contains(err.Error(), "its limit is"):
		return fmt.Errorf("%w: raise it with --store-limit, or name another place with --store DIR", err)
	case strings.Contains(err.Error(), "to be left free"):
		return fmt.Errorf("%w: make room, lower --store-min-free, or name another place with --store DIR", err)
	}
	return err
}

// Record keeps a row of the command's own.
func (k *keeper) Record(row record.Row) {
	if k != nil {
		k.run.Record(row)
	}
}

// lost returns how many rows were not kept though they should have been.
func (k *keeper) lost() uint64 {
	if k == nil {
		return 0
	}
	return k.run.Lost()
}

// trouble tells that nothing is kept from now on.
func (k *keeper) trouble(err error) {
	var path *fs.PathError
	var link *os.LinkError
	name := ""
	switch {
	case errors.As(err, &path):
		name = path.Path
	case errors.As(err, &link):
		name = link.New
	}
	if dir := filepath.Dir(name); name != "" && missing(dir) {
		err = errRemoved(dir)
	}
	k.say("%s; what is learned from now on is not kept", oneLine(adviseStore(err)))
}

// gone says that somebody removed the run while it went on, or all of the store:
// what else goes wrong follows from that. nil: nobody did.
func (k *keeper) gone() error {
	dir := k.store.Dir()
	for _, name := range []string{dir, filepath.Join(dir, "runs", k.run.ID().String())} {
		if missing(name) {
			return errRemoved(name)
		}
	}
	return nil
}

func errRemoved(dir string) error {
	return fmt.Errorf("%s was removed while it was written to: what this run learned is lost", dir)
}

// missing reports whether there is no file or folder of a name.
func missing(name string) bool {
	_, err := os.Stat(name)
	return errors.Is(err, fs.ErrNotExist)
}

// mostProblems is how many problems of a store are told.
const mostProblems = 20

// problem tells what was found wrong with the store, each thing once.
func (k *keeper) problem(err error) {
	text := oneLine(err)
	k.mu.Lock()
	n := len(k.told)
	if k.told[text] {
		n = mostProblems + 1
	}
	k.told[text] = true
	k.mu.Unlock()
	switch {
	case n < mostProblems:
		k.say("store: %s", text)
	case n == mostProblems:
		k.say("store: there is more: lightdht store verify %s tells it", k.store.Dir())
	}
}

// begin tells the keeper of the nodes, of which the first one stands for what
// they share. They are told whom others found good; with rest, in the background,
// of everybody.
func (k *keeper) begin(nodes []*lightdht.Node, rest bool) {
	if k == nil {
		return
	}
	k.mu.Lock()
	k.nodes = nodes
	k.mu.Unlock()
	k.save()
	if k.throwaway {
		return
	}
	k.introduce(nodes[0])
	ctx, cancel := context.WithCancel(context.Background())
	k.cancel, k.background = cancel, make(chan struct{})
	go func() {
		defer close(k.background)
		k.run.Checkpoint() // else a run that is killed early would not tell who it was
		k.mend()
		if rest {
			k.load(ctx, nodes[0])
		}
	}()
}

// patience is how long the end waits for what goes on in the background.
const patience = time.Second

// close ends the run, after the nodes were closed, and tells what was kept. The
// error is why not all was.
func (k *keeper) close() error {
	if k == nil {
		return nil
	}
	k.cancel()
	if k.background != nil {
		select {
		case <-k.background:
		case <-time.After(patience): // a large run is being mended: the next program begins anew
		}
	}
	err := k.run.Close() // which asks describe, and so saves who we are
	if e := k.claim.Close(); err == nil {
		err = e
	}
	gone := k.gone()
	if gone == nil && !k.throwaway {
		k.tell()
	}
	k.discard(k.store.Dir())
	if err == nil && gone == nil {
		return nil
	}
	return adviseStore(cmp.Or(gone, err))
}

// discard removes a throwaway store.
func (k *keeper) discard(dir string) {
	if k.throwaway {
		os.RemoveAll(dir)
	}
}

// tell says where everything is, once anything came.
func (k *keeper) tell() {
	if sum(k.nodes)[lightdht.PacketsIn] == 0 {
		return
	}
	var kept []string
	for _, kind := range record.Kinds {
		if n := k.rows[kind.String()]; n > 0 {
			kept = append(kept, numbered(n, kind.String()))
		}
	}
	if n := k.lost(); n > 0 {
		kept = append(kept, fmt.Sprintf("%d rows lost", n))
	}
	k.say("kept in %s as run %s: %s", k.store.Dir(), k.run.ID(), orText(strings.Join(kept, ", "), "nothing"))
}

// numbered says how many there are of something that is named in the plural.
func numbered(n uint64, plural string) string {
	if n == 1 {
		if word, ok := strings.CutSuffix(plural, "ies"); ok {
			return "1 " + word + "y"
		}
		return "1 " + strings.TrimSuffix(plural, "s")
	}
	return fmt.Sprintf("%d %s", n, plural)
}
