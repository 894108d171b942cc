package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/lightdht/lightdht/lightdht/export"
	"github.com/urfave/cli/v2"
)

// dumpFile is what a dump is written to: stdout, or a file that stands under its
// name when it is whole.
type dumpFile struct {
	export.Writer
	to   io.WriteCloser // what Writer writes to; nil: it has a file of its own
	file *os.File       // below to, to be closed; nil: none, or stdout
	tmp  string         // its name until it is whole; "": it is written in place
	name string
}

// create opens what the table is to be written to.
func (d *dumping) create(c *cli.Context, s export.Schema) (*dumpFile, error) {
	o := &dumpFile{name: d.file}
	if err := d.open(c, o); err != nil {
		return nil, err
	}
	shown := s
	if d.key != nil {
		shown = s.Shared()
	}
	var err error
	if d.format == export.SQLite {
		o.Writer, err = export.NewSQLite(o.tmp, shown, d.options)
	} else {
		o.Writer, err = export.NewWriter(o.to, d.format, shown, d.options)
	}
	if err != nil {
		o.discard()
		return nil, err
	}
	if d.key != nil {
		o.Writer = export.Share(o.Writer, s, d.key)
	}
	return o, nil
}

// open opens the file, if there is to be one.
func (d *dumping) open(c *cli.Context, o *dumpFile) (err error) {
	if d.file == "" {
		o.to = nopCloser{c.App.Writer}
		return nil
	}
	if info, err := os.Stat(d.file); err == nil && !info.Mode().IsRegular() {
		if d.special = true; info.IsDir() || d.format == export.SQLite {
			return fmt.Errorf("-o %s: it is no file", d.file)
		}
	}
	if d.special {
		o.file, err = os.OpenFile(d.file, os.O_WRONLY, 0)
	} else {
		o.file, err = os.CreateTemp(filepath.Dir(d.file), "."+filepath.Base(d.file)+"-*")
	}
	if err != nil {
		return fmt.Errorf("-o: %w", err)
	}
	if !d.special {
		o.tmp = o.file.Name()
	}
	if d.format == export.SQLite {
		o.file.Close()
		o.file = nil
		return os.Remove(o.tmp) // it makes its own
	}
	o.to, err = export.Compress(o.file, d.file)
	return err
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// end completes the file, or undoes it after an error. What was written to stdout
// until an interruption is completed.
func (o *dumpFile) end(err error) error {
	interrupted := errors.Is(err, context.Canceled)
	if err == nil || interrupted && o.tmp == "" {
		err = errors.Join(err, o.Close())
	} else {
		o.Close()
	}
	if o.to != nil {
		err = errors.Join(err, o.to.Close())
	}
	if o.file != nil {
		if o.tmp != "" && err == nil {
			err = o.file.Sync()
		}
		err = errors.Join(err, o.file.Close())
	}
	if o.tmp == "" {
		return err
	}
	if err == nil {
		err = os.Rename(o.tmp, o.name)
	}
	if err != nil {
		os.Remove(o.tmp)
		if !interrupted {
			err = fmt.Errorf("-o %s: %w", o.name, err)
		}
	}
	return err
}

func (o *dumpFile) discard() {
	if o.file != nil {
		o.file.Close()
	}
	if o.tmp != "" {
		os.Remove(o.tmp)
	}
}

// onTerminal reports whether stdout is a terminal.
func onTerminal(c *cli.Context) bool {
	file, ok := c.App.Writer.(*os.File)
	if !ok {
		return false
	}
	_, terminal := columns(file)
	return terminal
}
