package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/urfave/cli/v2"
)

// The network of a store has a name, which is also that of its folder in the
// user's data folder:
//
//	public          the one of the internet
//	private         a private one that nobody named
//	NAME            --network private:NAME
//	testnet-S-N     --testnet N --seed S
const (
	privateNamed  = "private:"
	testnetPrefix = "testnet-"
)

var networkNames = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// parseNetwork reads which network it is, and its name, "" when it has none of
// its own.
func parseNetwork(s string) (kind lightdht.Network, name string, err error) {
	for _, n := range []lightdht.Network{lightdht.Auto, lightdht.Public, lightdht.Private} {
		if n.String() == s {
			return n, "", nil
		}
	}
	name, named := strings.CutPrefix(s, privateNamed)
	switch {
	case !named:
		return 0, "", usagef("--network %q: want auto, public, private or private:NAME", s)
	case !networkNames.MatchString(name):
		return 0, "", usagef("--network %q: want a name of a to z, 0 to 9 and -, such as private:lab", s)
	case name == lightdht.Public.String() || name == lightdht.Private.String() || strings.HasPrefix(name, testnetPrefix):
		return 0, "", usagef("--network %q: %s is the name of another network: choose one such as private:lab", s, name)
	case name == lightdht.Auto.String():
		return 0, "", usagef("--network %q: %s is no name, but stands for either: choose one such as private:lab", s, name)
	}
	return lightdht.Private, name, nil
}

// networkName returns the name of the network that a node with this
// configuration, listening there, is in.
func networkName(c *cli.Context, cfg lightdht.Config, listen string) string {
	if n := countOf(c, "testnet"); n > 0 {
		return testnetName(c.Uint64("seed"), n)
	}
	if _, name, _ := parseNetwork(c.String("network")); name != "" {
		return name
	}
	return cfg.NetworkAt(listen).String()
}

func testnetName(seed uint64, nodes int) string {
	return fmt.Sprintf("%s%d-%d", testnetPrefix, seed, nodes)
}

// testnetNodes returns how many nodes the network of this name has, when it is a
// test network, else nil.
func testnetNodes(network string) *int {
	var seed uint64
	var n int
	if _, err := fmt.Sscanf(network, testnetPrefix+"%d-%d", &seed, &n); err != nil || testnetName(seed, n) != network {
		return nil
	}
	return &n
}

// defaultStore returns the folder in which a network has its store, unless
// another one is named.
func defaultStore(network string) (string, error) {
	data, err := dataFolder()
	if err != nil {
		return "", fmt.Errorf("no place for a store: %w: name one with --store DIR, or keep nothing with --no-store", err)
	}
	return filepath.Join(data, "lightdht", network), nil
}

// storeToRead opens the store that a command reads: the one that is named, or that
// of the network in its usual place. A network that is named must be its.
func storeToRead(c *cli.Context) (*dataset.Store, error) {
	kind, network, err := parseNetwork(c.String("network"))
	if err != nil {
		return nil, err
	}
	if network == "" && kind != lightdht.Auto {
		network = kind.String()
	}
	dir, err := namedStore(c)
	if err != nil {
		return nil, err
	}
	usual := dir == ""
	if usual {
		if dir, err = defaultStore(orText(network, lightdht.Public.String())); err != nil {
			return nil, err
		}
	}
	store, err := dataset.Open(dir)
	switch {
	case err != nil && usual:
		return nil, others(err, dir)
	case err != nil:
		return nil, err
	case network != "" && store.Network() != network:
		return nil, &dataset.OtherNetworkError{Dir: dir, Is: store.Network(), Want: network}
	}
	return store, nil
}

// others adds to the error that there is no store of a network of which networks
// there are.
func others(err error, dir string) error {
	found, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), "*", "store.json"))
	if !errors.Is(err, dataset.ErrNoStore) || len(found) == 0 {
		return err
	}
	var names []string
	for _, name := range found {
		names = append(names, filepath.Base(filepath.Dir(name)))
	}
	return fmt.Errorf("%w (beside it are %s: see --network)", err, strings.Join(names, ", "))
}

// dataFolder returns where the user's programs keep their data. $XDG_DATA_HOME
// counts on every system.
func dataFolder() (string, error) {
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return dir, nil
	}
	if runtime.GOOS == "windows" {
		if dir := os.Getenv("LocalAppData"); dir != "" {
			return dir, nil
		}
		return "", errors.New("%LocalAppData% is not set")
	}
	home, err := os.UserHomeDir()
	switch {
	case err != nil:
		return "", err
	case !filepath.IsAbs(home):
		return "", fmt.Errorf("$HOME is %q", home)
	case runtime.GOOS == "darwin":
		return filepath.Join(home, "Library", "Application Support"), nil
	}
	return filepath.Join(home, ".local", "share"), nil
}
