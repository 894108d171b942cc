package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
)

// logFile is a CSV file that grows, and what is still to be written to it. What
// a write leaves over stays for the next one.
type logFile struct {
	w     io.Writer
	buf   []byte // what is to be written
	lead  int    // bytes of buf before its rows: the header, or what is left of it
	torn  bool   // buf begins in the midst of a line
	stuck bool   // the last write failed
	rows  int    // written in full
}

// open opens a file to write at its end.
func (f *logFile) open(name string) error {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return err
	}
	f.w = file
	switch size := info.Size(); {
	case size == 0:
		f.begin()
	case info.Mode().IsRegular() && !endsLine(file, size):
		f.first("\r\n") // whoever wrote it last was torn away
	}
	return nil
}

// begin puts the header before the rows.
func (f *logFile) begin() { f.first(strings.Join(queryColumns, ",") + "\r\n") }

func (f *logFile) first(lead string) {
	f.buf = append([]byte(lead), f.buf...)
	f.lead = len(lead)
}

// endsLine reports whether a file ends with a whole line.
func endsLine(file io.ReaderAt, size int64) bool {
	var last [1]byte
	_, err := file.ReadAt(last[:], size-1)
	return err == nil && last[0] == '\n'
}

// flush writes what is to be written, at most logChunk of it.
func (f *logFile) flush() error {
	if len(f.buf) == 0 {
		return nil
	}
	n, err := f.w.Write(f.buf[:min(len(f.buf), logChunk)])
	if n > 0 {
		f.torn = f.buf[n-1] != '\n'
	}
	f.rows += bytes.Count(f.buf[min(f.lead, n):n], []byte("\n"))
	f.buf, f.lead = f.buf[:copy(f.buf, f.buf[n:])], max(f.lead-n, 0)
	f.stuck = err != nil
	return err
}

// reopen goes on in a file of that name, or in the one it has when there can be
// none. A row whose beginning is in the old file is lost.
func (f *logFile) reopen(name string) (lost uint64, err error) {
	old := *f
	switch {
	case f.lead > 0:
		f.buf, f.lead = f.buf[f.lead:], 0
	case f.torn:
		f.buf, lost = f.buf[bytes.IndexByte(f.buf, '\n')+1:], 1
	}
	if err := f.open(name); err != nil {
		*f = old
		return 0, err
	}
	f.torn, f.stuck = false, false
	if err := old.w.(io.Closer).Close(); err != nil {
		return lost, fmt.Errorf("%s: %w", name, err)
	}
	return lost, nil
}

// close closes the file, and returns how many rows could not be written to it.
func (f *logFile) close() (lost uint64, err error) {
	if file, ok := f.w.(*os.File); ok && file != os.Stdout {
		err = file.Close()
	}
	return uint64(bytes.Count(f.buf[f.lead:], []byte("\n"))), err
}
