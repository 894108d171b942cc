package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/export"
	"github.com/urfave/cli/v2"
)

// openFile looks whether there is a file, and whether it is what the manifest beside
// it tells of.
func (d *data) openFile(c *cli.Context) error {
	switch info, err := os.Stat(d.file); {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%s: there is no such file: name one that lightdht dump wrote", d.file)
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a folder: name a store with --store %s, or a file that lightdht dump wrote", d.file, d.file)
	}
	if len(d.mmdb) > 0 {
		return errors.New("--mmdb is about a store: a file has countries when it was dumped with --mmdb")
	}
	if err := d.readFilter(c); err != nil {
		return err
	}
	if err := d.readManifest(); err != nil {
		return err
	}
	var runs []dataset.RunInfo
	if d.manifest != nil {
		for i := range d.manifest.Runs {
			runs = append(runs, dataset.RunInfo{ID: d.manifest.Runs[i].Run, Manifest: &d.manifest.Runs[i]})
		}
	}
	var err error
	if d.source.Filter.Runs, err = pickRuns(runs, c.StringSlice("run")); err != nil {
		return fmt.Errorf("%s: %w", d.file, err)
	}
	if d.source.Filter.Runs != nil && d.manifest.What == export.Contacts && !d.byRun() {
		return fmt.Errorf("%s has a row for each contact, which names the run that saw it last alone: for --run dump it with --per-run, or take the store", d.file)
	}
	return nil
}

// readManifest reads the manifest beside the file, if there is one, and holds the
// file to it.
func (d *data) readManifest() error {
	name := d.file + export.ManifestEnding
	b, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		fmt.Fprintf(d.say, "%s has no manifest: where it comes from, and whether it is whole, is not known\n", d.file)
		return nil
	} else if err != nil {
		return err
	}
	d.manifest = new(export.Manifest)
	if json.Unmarshal(b, d.manifest) != nil || d.manifest.Format != 1 || d.manifest.What == "" {
		return fmt.Errorf("%s is no manifest that this program reads: dump the file again, or remove it", name)
	}
	sum, err := checksum(d.ctx, d.file)
	switch {
	case err != nil:
		return err
	case sum != d.manifest.SHA256:
		return fmt.Errorf("%s is not the file that its manifest tells of (sha256): get both again, or remove the manifest", d.file)
	}
	return nil
}

// checksum returns the SHA-256 of a file in hexadecimal digits.
func checksum(ctx context.Context, name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := &summed{to: io.Discard, hash: sha256.New()}
	for b := make([]byte, 1<<20); ; {
		n, err := file.Read(b)
		sum.Write(b[:n])
		switch {
		case err == io.EOF:
			return sum.hex(), nil
		case err != nil:
			return "", err
		case ctx.Err() != nil:
			return "", errUnwritten
		}
	}
}

// errUnwritten is that somebody interrupted the reading of what statistics are made
// of.
var errUnwritten = interruptedError{"nothing was written"}
