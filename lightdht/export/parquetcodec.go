package export

import (
	"runtime"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// pageCodec compresses pages with zstd. That of the library keeps 4 MB for each
// processor to look back at, though a page has some 128 kB.
type pageCodec struct{ zstd *zstd.Encoder }

func newPageCodec() *pageCodec {
	e, err := zstd.NewWriter(nil,
		zstd.WithEncoderConcurrency(runtime.GOMAXPROCS(0)),
		zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithWindowSize(2*parquetPageBytes),
		zstd.WithZeroFrames(true),
		zstd.WithEncoderCRC(false)) // pages have one
	if err != nil {
		panic(err) // of the options, which are fixed
	}
	return &pageCodec{e}
}

// What parquet-go asks a codec for.

func (c *pageCodec) String() string                            { return "ZSTD" }
func (c *pageCodec) CompressionCodec() format.CompressionCodec { return format.Zstd }

// Encode may be called by several goroutines at once.
func (c *pageCodec) Encode(dst, src []byte) ([]byte, error) {
	return c.zstd.EncodeAll(src, dst[:0]), nil
}

// Decode is there for the interface: what writes reads nothing.
func (c *pageCodec) Decode(dst, src []byte) ([]byte, error) { return parquet.Zstd.Decode(dst, src) }
