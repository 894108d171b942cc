package figure

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"regexp"
)

// dotsPerInch is the resolution of a PNG.
const dotsPerInch = 300

// settleSVG names fonts that are as wide as Liberation Sans, for where that is
// not there.
func settleSVG(b []byte) ([]byte, error) {
	return bytes.ReplaceAll(b, []byte("font-family:Liberation Sans;"),
		[]byte("font-family:'Liberation Sans',Arimo,Arial,Helvetica,sans-serif;")), nil
}

// date matches the dates of a PDF.
var date = regexp.MustCompile(`/(CreationDate|ModDate) \(D:\d{14}\)`)

// settlePDF puts a fixed date in the place of the day that it was drawn on. It is
// as long, so that offsets in the file hold.
func settlePDF(b []byte) ([]byte, error) {
	return date.ReplaceAll(b, []byte("/$1 (D:20000101000000)")), nil
}

// settlePNG says how many dots an inch has, in a chunk behind the header:
//
//	length 9 | "pHYs" | dots per metre, across | the same, down | 1: metres | CRC-32
func settlePNG(b []byte) ([]byte, error) {
	const header = 8 + 4 + 4 + 13 + 4 // signature, and IHDR whole
	if len(b) < header {
		return nil, errors.New("the picture is cut short")
	}
	const perMetre = dotsPerInch * 10000 / 254
	chunk := append(binary.BigEndian.AppendUint32(nil, 9), "pHYs"...)
	chunk = binary.BigEndian.AppendUint32(chunk, perMetre)
	chunk = binary.BigEndian.AppendUint32(chunk, perMetre)
	chunk = append(chunk, 1)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	return bytes.Join([][]byte{b[:header], chunk, b[header:]}, nil), nil
}
