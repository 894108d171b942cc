package export

import (
	"bytes"
	"runtime"
	"testing"
)

// countBytes counts the bytes of a file.
type countBytes struct{ n int64 }

func (c *countBytes) Write(b []byte) (int, error) { c.n += int64(len(b)); return len(b), nil }

func BenchmarkParquetWrite(b *testing.B) {
	var file countBytes
	rows := benchmarkContacts(b, func(int) Writer {
		file.n = 0
		w, err := newParquet(&file, contactLike, Options{})
		if err != nil {
			b.Fatal(err)
		}
		return w
	})
	b.ReportMetric(float64(file.n)/rows, "B/row")
}

func BenchmarkParquetRead(b *testing.B) {
	file := parquetBytes(b, contactLike, contactBatches(64))
	rows := 0
	for b.Loop() {
		_, seq, err := readParquet(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			b.Fatal(err)
		}
		for batch, err := range seq {
			if err != nil {
				b.Fatal(err)
			}
			rows += batch.Len
			batch.Release()
		}
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkParquetMemory tells the most memory that was in use while 6.5 million
// contacts were written.
func BenchmarkParquetMemory(b *testing.B) {
	batches := contactBatches(8)
	pool := contactLike.Pool()
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	peak := uint64(0)
	for b.Loop() {
		w, err := newParquet(&countBytes{}, contactLike, Options{})
		if err != nil {
			b.Fatal(err)
		}
		for i := range 1600 {
			if err := w.Write(copyBatch(pool, batches[i%len(batches)])); err != nil {
				b.Fatal(err)
			}
			if i%8 == 0 {
				runtime.ReadMemStats(&now)
				peak = max(peak, now.HeapAlloc-before.HeapAlloc)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(peak)/(1<<20), "peak-MB")
}
