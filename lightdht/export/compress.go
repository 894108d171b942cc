package export

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// gzipLevel is a fast one. A table of millions of rows is compressed by a single
// goroutine, and the usual level, 6, takes more than twice as long to save one
// byte in twenty-four. Zstandard saves as much at no cost in time.
const gzipLevel = 2

// zstdWindow is the most that reading takes to look back on: that of zstd --long.
const zstdWindow = 128 << 20

// Compress returns a writer that compresses to w as the ending of a file name says:
// gzip for .gz, at a fast level, Zstandard for .zst, on several processors; for any
// other ending what is written goes to w as it is. Close completes the compressed
// data and leaves w open.
func Compress(w io.Writer, name string) (io.WriteCloser, error) {
	switch ending(name) {
	case ".gz":
		return gzip.NewWriterLevel(w, gzipLevel)
	case ".zst":
		return zstd.NewWriter(w)
	}
	return asItIs{w}, nil
}

// asItIs passes on what is written, and closes nothing.
type asItIs struct{ io.Writer }

// Close does nothing.
func (asItIs) Close() error { return nil }

// Decompress returns a reader of what Compress, gzip or zstd have written, by the
// ending of the name. It reports data that was cut off. Close leaves r open.
func Decompress(r io.Reader, name string) (io.ReadCloser, error) {
	end := ending(name)
	if end != ".gz" && end != ".zst" {
		return io.NopCloser(r), nil
	}
	d := &decompressed{name: name}
	source := bufio.NewReaderSize(r, 64<<10)
	if _, err := source.Peek(1); err != nil { // an empty file is no empty table
		return nil, d.explain(noEOF(err))
	}
	if end == ".gz" {
		z, err := gzip.NewReader(source)
		d.r, d.close = z, z.Close
		return d.or(err)
	}
	z, err := zstd.NewReader(source, zstd.WithDecoderMaxWindow(zstdWindow))
	if err == nil {
		d.r, d.close = z, func() error { z.Close(); return nil }
	}
	return d.or(err)
}

// ending returns the part of a name that says how it is compressed.
func ending(name string) string { return strings.ToLower(filepath.Ext(name)) }

// decompressed reads with errors that say what they are about.
type decompressed struct {
	name  string
	r     io.Reader
	close func() error
}

// or returns d, or an error that kept it from being made.
func (d *decompressed) or(err error) (io.ReadCloser, error) {
	if err != nil {
		return nil, d.explain(noEOF(err))
	}
	return d, nil
}

// Read reads what was compressed.
func (d *decompressed) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	return n, d.explain(err)
}

// Close ends the goroutines that decompress, read to the end or not.
func (d *decompressed) Close() error { return d.close() }

// explain says which file an error is about; the end of the file is none.
func (d *decompressed) explain(err error) error {
	switch {
	case err == nil || err == io.EOF:
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: the compressed data ends too early: was it cut off? (%w)", d.name, err)
	}
	return fmt.Errorf("decompress %s: %w", d.name, err)
}

// noEOF makes an end where there should be a beginning an error.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
