package export

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// squeezed returns data as Compress writes it into a file of this name.
func squeezed(t testing.TB, name string, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := Compress(&out, name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// restored reads a compressed file.
func restored(name string, data []byte) ([]byte, error) {
	r, err := Decompress(bytes.NewReader(data), name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func TestCompress(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	table := []byte(written(t, CSV, contactColumns, Options{}, contacts(2000)))
	for name, magic := range map[string]string{
		"contacts.csv": "run,", "contacts.CSV.GZ": "\x1f\x8b", "x.zst": "\x28\xb5\x2f\xfd", "gz": "run,", "": "run,",
	} {
		for _, data := range [][]byte{table, table[:10], nil} {
			packed := squeezed(t, name, data)
			if len(data) > 0 && !strings.HasPrefix(string(packed), magic) {
				t.Errorf("%q begins with %q", name, packed[:4])
			}
			if back, err := restored(name, packed); err != nil || !bytes.Equal(back, data) {
				t.Errorf("%q: %d bytes back of %d, %v", name, len(back), len(data), err)
			}
		}
		if n := len(squeezed(t, name, table)); magic != "run," && n > len(table)/2 {
			t.Errorf("%q: %d bytes of %d", name, n, len(table))
		}
	}
}

// What is not read to its end leaves nothing behind either.
func TestDecompressSome(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	r := rand.NewChaCha8([32]byte{})
	data := make([]byte, 8<<20)
	r.Read(data)
	for _, name := range []string{"a.gz", "a.zst", "a"} {
		r, err := Decompress(bytes.NewReader(squeezed(t, name, data)), name)
		if err != nil {
			t.Fatal(err)
		}
		some := make([]byte, 100)
		if _, err := io.ReadFull(r, some); err != nil || !bytes.Equal(some, data[:100]) {
			t.Errorf("%s: %v", name, err)
		}
		if err := r.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Cut off anywhere, compressed data is an error that names the file.
func TestDecompressCutOff(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	table := []byte(written(t, CSV, contactColumns, Options{}, contacts(3)))
	for _, name := range []string{"a.gz", "a.zst"} {
		whole := squeezed(t, name, table)
		for n := range len(whole) {
			if _, err := restored(name, whole[:n]); err == nil || !strings.Contains(err.Error(), "cut off") || !strings.Contains(err.Error(), name) {
				t.Fatalf("%s, %d bytes of %d: %v", name, n, len(whole), err)
			}
		}
	}
}

func TestDecompressOther(t *testing.T) {
	for _, name := range []string{"a.gz", "a.zst"} {
		if _, err := restored(name, []byte("run,runs,id\r\n")); err == nil || !strings.HasPrefix(err.Error(), "decompress "+name+": ") {
			t.Errorf("%s: %v", name, err)
		}
		whole := squeezed(t, name, []byte("run,runs,id\r\n"))
		whole[len(whole)-2] ^= 1 // in what it is checked by
		if _, err := restored(name, whole); err == nil {
			t.Errorf("%s: no error though a bit is wrong", name)
		}
	}
}

// The readers say that a table ended because its file did.
func TestReadCompressedCutOff(t *testing.T) {
	for f, read := range readers {
		packed := squeezed(t, "a.gz", []byte(written(t, f, contactColumns, Options{}, contacts(1000))))
		r, err := Decompress(bytes.NewReader(packed[:len(packed)/2]), "a.gz")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := readAll(read, r, typeIn(contactColumns)); err == nil || !strings.Contains(err.Error(), "a.gz: the compressed data ends too early") {
			t.Errorf("%s: %v", f, err)
		}
	}
}

func TestCompressErrors(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for _, name := range []string{"a.gz", "a.zst"} {
		w, err := Compress(&failing{10}, name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(make([]byte, 1000))
		if err := w.Close(); err != errFull {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkCompress(b *testing.B) {
	table := []byte(written(b, CSV, contactColumns, Options{}, contacts(BatchRows)))
	for _, name := range []string{"a.gz", "a.zst"} {
		b.Run(name, func(b *testing.B) {
			var out discarded
			rows := 0
			b.SetBytes(int64(len(table)))
			for b.Loop() {
				w, err := Compress(&out, name) // anew, or it would find the table before
				if err != nil {
					b.Fatal(err)
				}
				w.Write(table)
				w.Close()
				rows += BatchRows
			}
			b.ReportMetric(float64(out.n)/float64(rows), "B/row")
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
