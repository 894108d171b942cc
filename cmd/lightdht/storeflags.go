package main

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/urfave/cli/v2"
)

// storeVariable is the environment variable that stands for --store.
const storeVariable = "LIGHTDHT_STORE"

// storeFlags say where and how a command keeps what it learns.
func storeFlags() []cli.Flag {
	return []cli.Flag{
		storeFlag(),
		&cli.BoolFlag{Name: "no-store", Usage: "write nothing to disk"},
		&cli.BoolFlag{Name: "keep-sightings", Usage: "keep every sighting and who told of it, besides what they come to"},
		&cli.BoolFlag{Name: "raw", Usage: "keep infohashes as they are, not hashed with a key of the store"},
		sizeFlag("store-limit", "keep no more once the store has `SIZE` bytes (500M, 10G)", "no limit"),
		sizeFlag("store-min-free", "keep no more once the disk has fewer than `SIZE` bytes left; 0: until it is full", "256M"),
		&cli.DurationFlag{Name: "store-flush", Usage: "the end of the program takes at most this much with it", Value: 200 * time.Millisecond},
		&cli.DurationFlag{Name: "store-sync", Usage: "the end of the system takes at most this much with it; 0: sync at the end alone", Value: 5 * time.Second},
	}
}

// storeFlag names a store.
func storeFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "store", Usage: "the store in the folder `DIR`, which is of one network; or $" + storeVariable,
		DefaultText: "one for each network in the user's data folder",
	}
}

// keeping is what the flags say about what is kept.
type keeping struct {
	off bool
	dir string // of the store; "": not named
	set dataset.Settings
}

// readKeeping reads the flags of the store.
func readKeeping(c *cli.Context) (k keeping, err error) {
	if c.Bool("no-store") {
		for _, flag := range []string{"store", "keep-sightings", "raw", "store-limit", "store-min-free", "store-flush", "store-sync"} {
			if c.IsSet(flag) {
				return k, usagef("--no-store keeps nothing: leave it or --%s out", flag)
			}
		}
		return keeping{off: true}, nil
	}
	if k.dir, err = namedStore(c); err != nil {
		return k, err
	}
	flush, sync := c.Duration("store-flush"), c.Duration("store-sync")
	switch {
	case flush < time.Millisecond:
		return k, usagef("--store-flush %s: want at least 1ms, such as 200ms", flush)
	case sync < 0:
		return k, usagef("--store-sync %s: want a time such as 5s, or 0 for the end alone", sync)
	case sync == 0:
		sync = -1
	}
	free := sizeOf(c, "store-min-free")
	if free == 0 && c.IsSet("store-min-free") {
		free = -1
	}
	k.set = dataset.Settings{
		FlushEvery: flush, SyncEvery: sync, KeepSightings: c.Bool("keep-sightings"), RawInfohashes: c.Bool("raw"),
		MaxBytes: sizeOf(c, "store-limit"), MinFree: free,
	}
	return k, nil
}

// namedStore returns the folder that --store names, or the variable; "" if
// neither does.
func namedStore(c *cli.Context) (string, error) {
	if !c.IsSet("store") {
		return os.Getenv(storeVariable), nil
	}
	dir := c.String("store")
	if dir == "" {
		return "", usagef("--store: want the name of a folder")
	}
	return dir, nil
}

// size is a flag value that reads bytes: 4096, 500M, 10G, in steps of 1024.
type size int64

// Set reads a size.
func (s *size) Set(text string) error {
	digits, shift := text, 0
	if n := len(text); n > 0 {
		if at := strings.IndexByte("KMGT", text[n-1]&^0x20); at >= 0 {
			digits, shift = text[:n-1], 10*(at+1)
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64>>shift {
		return fmt.Errorf("want a size such as 500M or 10G")
	}
	*s = size(n << shift)
	return nil
}

// String returns the bytes in digits, nothing for none.
func (s *size) String() string {
	if s == nil || *s == 0 {
		return ""
	}
	return strconv.FormatInt(int64(*s), 10)
}

// sizeFlag returns a flag that reads a size.
func sizeFlag(name, usage, def string) cli.Flag {
	return &cli.GenericFlag{Name: name, Usage: usage, Value: new(size), DefaultText: def}
}

// sizeOf returns the value of a sizeFlag.
func sizeOf(c *cli.Context, name string) int64 {
	v, _ := c.Generic(name).(*size)
	if v == nil {
		return 0
	}
	return int64(*v)
}
