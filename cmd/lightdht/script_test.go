package main

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	stdnet "net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/testnet"
	"github.com/rogpeppe/go-internal/testscript"
)

// seed is what the scripts' networks follow from. It is another one in every
// run, so that two runs at a time do not want the same addresses.
var seed = flag.Uint64("seed", rand.Uint64(), "seed of the scripts' networks")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"lightdht": main})
}

// The scripts in testdata/script say what the program does. Besides the usual
// commands they have those of script_commands_test.go, and besides the usual
// variables and files those of laboratory.
func TestScripts(t *testing.T) {
	t.Logf("again with -args -seed %d", *seed)
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/script",
		Setup:              laboratory,
		Cmds:               scriptCommands,
		Condition:          scriptCondition,
		RequireUniqueNames: true,
	})
}

// scriptCondition tells scripts whether the user may do anything: [root].
func scriptCondition(name string) (bool, error) {
	if name != "root" {
		return false, fmt.Errorf("no condition %q", name)
	}
	return os.Geteuid() == 0, nil
}

// labNodes is how many nodes a script's network has.
const labNodes = 30

// laboratory gives every script a network of its own that outlives the single
// commands:
//
//	$HASH    an infohash, which is also the target of lookups
//	$PEERED  an infohash with 12 peers
//	$BOOT    HOST:PORT of a node to begin with, and $BOOTID its ID
//	$SEED    a seed for test networks that nobody else uses
//	$SILENT  HOST:PORT where somebody listens who never answers
//	nodes    the IDs of all nodes, sorted
//	closest  the IDs of the 8 nodes closest to $HASH, nearest first
//	peers    the peers of $PEERED, sorted
func laboratory(env *testscript.Env) error {
	seed := scriptSeed(env.WorkDir)
	var peered kad.ID
	binary.BigEndian.PutUint64(peered[:], seed<<16)
	net, err := testnet.Start(context.Background(), testnet.Config{Nodes: labNodes, Seed: seed, Infohashes: []kad.ID{peered}})
	if err != nil {
		return err
	}
	env.Defer(func() { net.Close() })
	silent, err := stdnet.ListenUDP("udp4", &stdnet.UDPAddr{IP: stdnet.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	env.Defer(func() { silent.Close() })
	first := net.Infos()[0]
	env.Setenv("GORACE", "atexit_sleep_ms=0")                       // else a program built with -race takes a second to end
	env.Setenv("XDG_DATA_HOME", filepath.Join(env.WorkDir, "data")) // in a folder of the user's no script writes
	env.Setenv("LIGHTDHT_STORE", "")
	env.Setenv("HASH", someHash)
	env.Setenv("PEERED", peered.String())
	env.Setenv("BOOT", first.Addr.String())
	env.Setenv("BOOTID", first.ID.String())
	env.Setenv("SEED", fmt.Sprint(seed+1))
	env.Setenv("SILENT", silent.LocalAddr().String())
	return writeTruth(env, net, peered)
}

// scriptSeed is another one for each script: their networks live side by side.
func scriptSeed(workDir string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(filepath.Base(workDir)))
	return (h.Sum64() ^ *seed) >> 16
}

// writeTruth writes what is known of the network to files.
func writeTruth(env *testscript.Env, net *testnet.Net, peered kad.ID) error {
	var peers []string
	for _, addr := range net.Peers(peered) {
		peers = append(peers, addr.String())
	}
	slices.Sort(peers)
	for name, lines := range map[string][]string{
		"nodes":   ids(net.Infos()),
		"closest": ids(net.Closest(kad.MustParseID(someHash), 8)),
		"peers":   peers,
	} {
		text := strings.Join(lines, "\n") + "\n"
		if err := os.WriteFile(filepath.Join(env.WorkDir, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("laboratory: %w", err)
		}
	}
	return nil
}

func ids(infos []kad.NodeInfo) []string {
	var out []string
	for _, info := range infos {
		out = append(out, info.ID.String())
	}
	return out
}
