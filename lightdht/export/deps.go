package export

import (
	_ "github.com/klauspost/compress/zstd"
	_ "github.com/oschwald/maxminddb-golang/v2"
	_ "github.com/parquet-go/parquet-go"
	_ "modernc.org/sqlite"
)
