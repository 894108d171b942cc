package export

import (
	"testing"
)

// count counts the bytes of a file.
type count struct{ n int64 }

func (c *count) Write(b []byte) (int, error) { c.n += int64(len(b)); return len(b), nil }

func BenchmarkParquet(b *testing.B) {
	var file count
	benchmarkContacts(b, func(int) Writer {
		file.n = 0
		w, err := newParquet(&file, contactLike, Options{})
		if err != nil {
			b.Fatal(err)
		}
		return w
	})
	b.ReportMetric(float64(file.n)/(8*16*BatchRows), "B/row")
}
