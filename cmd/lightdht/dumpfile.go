package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/lightdht/lightdht/lightdht/export"
	"github.com/urfave/cli/v2"
)

// place is where a dump goes to: stdout, a file that is written beside the one
// whose place it takes when it is whole, or something that is written in place.
type place struct {
	name    string      // of -o; "": stdout
	real    string      // that it leads to, links followed
	special bool        // it is a pipe, a device, or a file that some program has open
	there   bool        // there is a file of that name
	mode    fs.FileMode // which has these permissions
	sum     *summed     // what is written; nil: it is read again to know
}

// summed counts what is written, and its checksum, on the way.
type summed struct {
	to    io.Writer
	bytes int64
	hash  hash.Hash
}

// hex returns the checksum in hexadecimal digits.
func (s *summed) hex() string { return hex.EncodeToString(s.hash.Sum(nil)) }

func (s *summed) Write(b []byte) (int, error) {
	n, err := s.to.Write(b)
	s.hash.Write(b[:n])
	s.bytes += int64(n)
	return n, err
}

// find looks where the name leads.
func (p *place) find(stdout io.Writer, f export.Format) (err error) {
	if p.name == "" {
		return writable(stdout)
	}
	info, err := os.Stat(p.name)
	if err == nil && info.IsDir() || os.IsPathSeparator(p.name[len(p.name)-1]) {
		return fmt.Errorf("-o %s: it is no file", p.name)
	}
	if p.real, err = follow(p.name, inSystem); err != nil {
		return p.named(err)
	}
	p.special = inSystem(p.real) || info != nil && !info.Mode().IsRegular()
	switch {
	case p.special && f == export.SQLite:
		return fmt.Errorf("-o %s: it is no file", p.name)
	case p.special && p.real != os.DevNull && isOpenAs(stdout, p.name):
		return writable(stdout)
	case p.special || info == nil:
		return nil
	}
	p.there, p.mode = true, info.Mode().Perm()
	file, err := os.OpenFile(p.real, os.O_WRONLY, 0) // what may not be written is not replaced either
	if err != nil {
		return p.named(err)
	}
	return file.Close()
}

// spares makes sure that the file of -o is none of those that are read.
func (p *place) spares(inputs []string) error {
	if p.name == "" || p.special {
		return nil
	}
	for _, name := range inputs {
		if name != "" && sameFile(name, p.real) {
			return fmt.Errorf("-o %s: it is one of the files that are read: name another", p.name)
		}
	}
	for dir := filepath.Dir(p.real); ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "store.json")); err == nil {
			return fmt.Errorf("-o %s: it is in the folder of a store, %s: name a file elsewhere", p.name, dir)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// writable says why nobody would see what is written to stdout.
func writable(stdout io.Writer) error {
	if isClosed(stdout) {
		return errors.New("standard output is closed, or the null device: name a file with -o FILE")
	}
	return nil
}

// named returns an error that names the file as it was given, and nothing that
// stands for it meanwhile.
func (p *place) named(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case err == nil || p.name == "":
		return err
	case errors.As(err, &path):
		err = path.Err
	case errors.As(err, &link):
		err = link.Err
	}
	return fmt.Errorf("-o %s: %w", p.name, err)
}

// dumpFile is what a dump is written to.
type dumpFile struct {
	export.Writer
	*place
	to   io.WriteCloser // what Writer writes to; nil: it has a file of its own
	file *os.File       // below to, to be closed; nil: none, or stdout
	tmp  string         // its name until it is whole; "": it is written in place
}

// create opens what the table is to be written to.
func (d *dumping) create(stdout io.Writer, s export.Schema) (*dumpFile, error) {
	o := &dumpFile{place: &d.out}
	if err := o.open(stdout, d.format); err != nil {
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
	if err == nil && o.there {
		err = os.Chmod(o.tmp, o.mode)
	}
	if err != nil {
		o.discard()
		return nil, o.named(err)
	}
	if d.key != nil {
		o.Writer = export.Share(o.Writer, s, d.key)
	}
	return o, nil
}

// open opens what is written to, if that is not to be made by its writer.
func (o *dumpFile) open(stdout io.Writer, f export.Format) (err error) {
	switch {
	case o.name == "":
		o.to = nopCloser{stdout}
		return nil
	case f == export.SQLite:
		o.tmp = o.part()
		return nil
	case o.special && isOpenAs(stdout, o.name): // opened anew it would begin at the file's beginning
		o.to, err = export.Compress(stdout, o.name)
		return err
	case o.special:
		o.file, err = os.OpenFile(o.name, os.O_WRONLY|os.O_APPEND, 0)
	default:
		o.tmp = o.part()
		o.file, err = os.OpenFile(o.tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, o.permissions())
		o.sum = &summed{to: o.file, hash: sha256.New()}
	}
	if err != nil {
		return o.named(err)
	}
	var to io.Writer = o.file
	if o.sum != nil {
		to = o.sum
	}
	o.to, err = export.Compress(to, o.name)
	return err
}

// part returns a name that nobody has beside the file.
func (p *place) part() string {
	dir, base := filepath.Split(p.real)
	return filepath.Join(dir, fmt.Sprintf(".%s-%08x", base, rand.Uint32()))
}

// permissions are those that a file is made with: of the one that it replaces, or
// of any new one.
func (p *place) permissions() fs.FileMode {
	if p.there {
		return p.mode
	}
	return 0o666
}

// isOpenAs reports whether an output is the file of this name.
func isOpenAs(out io.Writer, name string) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	a, err := file.Stat()
	if err != nil {
		return false
	}
	b, err := os.Stat(name)
	return err == nil && os.SameFile(a, b)
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// named returns an error that names the file as it was given, and not what it is
// called until it is whole.
func (o *dumpFile) named(err error) error {
	if err != nil && o.tmp != "" && strings.Contains(err.Error(), o.tmp) {
		text := strings.ReplaceAll(err.Error(), o.tmp+": ", "")
		err = renamed{err, strings.ReplaceAll(text, o.tmp, o.name)}
	}
	return o.place.named(err)
}

// renamed is an error with another text.
type renamed struct {
	error
	text string
}

func (r renamed) Error() string { return r.text }

func (r renamed) Unwrap() error { return r.error }

// Write writes a batch. Its errors are about the file, and name it.
func (o *dumpFile) Write(b *export.Batch) error { return o.named(o.Writer.Write(b)) }

// end completes the file, or undoes it after an error. What was written in place
// until an interruption is completed.
func (o *dumpFile) end(err error) error {
	good := err == nil || o.tmp == "" && errors.Is(err, context.Canceled)
	note := func(e error) {
		if e != nil && good {
			err, good = o.named(e), false
		}
	}
	note(o.Close())
	if o.to != nil {
		note(o.to.Close())
	}
	if o.file != nil {
		if o.tmp != "" && good {
			note(o.file.Sync())
		}
		note(o.file.Close())
	}
	if o.tmp == "" {
		return err
	}
	if good {
		note(os.Rename(o.tmp, o.real))
	}
	if !good {
		os.Remove(o.tmp)
	}
	return err
}

// left says, instead of that somebody interrupted the writing, what that leaves: of
// a file that is not written in place nothing.
func (p *place) left(err error) error {
	switch {
	case p.name == "" || p.special || !errors.Is(err, context.Canceled):
		return err
	case p.there:
		return interruptedError{p.name + " stays as it was"}
	}
	return interruptedError{p.name + " was not made"}
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
