package figure

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// written returns the bytes of a figure.
func written(t testing.TB, f *Figure, err error, format Format) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b, format); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// texts returns what is written in an SVG, which must be well-formed.
func texts(t testing.TB, svg []byte) (all []string) {
	t.Helper()
	if bytes.Contains(svg, []byte("<text")) && !bytes.Contains(svg, []byte("font-family:'Liberation Sans',")) {
		t.Error("the SVG names one font alone, or another")
	}
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatalf("the SVG is not well-formed: %v", err)
		}
		if s, ok := token.(xml.CharData); ok && strings.TrimSpace(string(s)) != "" {
			all = append(all, string(s))
		}
	}
}

// Each kind says what its axes show, with the unit, and what it rests on.
func TestTexts(t *testing.T) {
	want := map[string][]string{
		"ids": {
			"Zones of the ID space: 200 points, null: one node per address", "prefix (bits)", "first hex digit of the ID",
			"z-score (standard deviations)", "gap observed (mean gaps)", "gap expected (mean gaps)",
			"its 95 % band, at each gap",
		},
		"size":  {"Size from 256 lookups", "lookups", "estimated size (nodes)", "truth: 200", "pooled (95 % band)", "deepest bucket"},
		"nodes": {"Share of clients, with 95 % intervals", "share (%)", "by ID (200)", "by address (180)", "UT", "unknown", "other"},
		"rtt":   {"Round trips: 200 contacts", "round trip (ms)", "share of contacts (%)", "95 % band (DKW)", "measured"},
	}
	for name, draw := range kinds(200) {
		for _, w := range []Width{Column, Page} {
			f, err := draw(w)
			have := "\n" + strings.Join(texts(t, written(t, f, err, SVG)), "\n") + "\n"
			for _, s := range want[name] {
				if !strings.Contains(have, "\n"+s+"\n") {
					t.Errorf("%s at %v mm has no text %q:%s", name, w, s, have)
				}
			}
		}
	}
}

// A PNG says its resolution, and is as many dots wide as that makes.
func TestPNG(t *testing.T) {
	for name, w := range map[string]Width{"size": Column, "nodes": Page} { // two, because they take long
		dots := map[Width]int{Column: 1039, Page: 2126}[w]
		f, err := kinds(200)[name](w)
		b := written(t, f, err, PNG)
		picture, err := png.DecodeConfig(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		_, height := f.Size()
		if picture.Width != dots || math.Abs(float64(picture.Height)-height/25.4*300) > 1 {
			t.Errorf("%s at %v mm is %d by %d dots for %.1f mm of height; want %d across", name, w, picture.Width, picture.Height, height, dots)
		}
		at := bytes.Index(b, []byte("pHYs")) + 4
		if sum := binary.BigEndian.Uint32(b[at+9:]); sum != crc32.ChecksumIEEE(b[at-4:at+9]) || binary.BigEndian.Uint32(b[at-8:]) != 9 {
			t.Errorf("%s: the chunk that says the resolution is broken", name)
		}
		if across, down := binary.BigEndian.Uint32(b[at:]), binary.BigEndian.Uint32(b[at+4:]); across != 11811 || down != 11811 || b[at+8] != 1 {
			t.Errorf("%s: %d by %d dots in unit %d; want 11811 in a metre", name, across, down, b[at+8])
		}
	}
}

// coarse draws a figure with 100 dots an inch.
func coarse(f *Figure) image.Image {
	c := vgimg.NewWith(vgimg.UseWH(f.width, f.height), vgimg.UseDPI(100))
	f.draw(draw.New(c))
	return c.Image()
}

// Nothing is cut off: the outermost dots of a picture are white.
func TestNothingAtTheEdge(t *testing.T) {
	for _, n := range []int{2, 200, 50_000} {
		for name, draw := range kinds(n) {
			for _, w := range []Width{60, Column, Page} {
				f, err := draw(w)
				if err != nil {
					t.Fatal(err)
				}
				if at, found := edged(coarse(f)); found {
					t.Errorf("%s of %d at %v mm: a dot at %v", name, n, w, at)
				}
			}
		}
	}
}

// edged reports whether a picture has a dot at its edge that is not white.
func edged(p image.Image) (at image.Point, found bool) {
	r := p.Bounds()
	inside := r.Inset(1)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			at = image.Pt(x, y)
			red, green, blue, _ := p.At(x, y).RGBA()
			if !at.In(inside) && red&green&blue != 0xffff {
				return at, true
			}
		}
	}
	return at, false
}

// Drawn twice it is the same, byte for byte, and no date tells when.
func TestSameBytes(t *testing.T) {
	for name := range kinds(200) {
		for _, format := range Formats {
			if format == PNG && name != "size" {
				continue // they take long
			}
			var drawn [3][]byte
			for i := range drawn[:2] {
				f, err := kinds(200)[name](Column)
				drawn[i] = written(t, f, err, format)
				if i == 1 { // a figure can be written again
					drawn[2] = written(t, f, nil, format)
				}
			}
			if !bytes.Equal(drawn[0], drawn[1]) || !bytes.Equal(drawn[1], drawn[2]) {
				t.Errorf("%s.%s differs from one time to the next", name, format)
			}
			if format == PDF && bytes.Count(drawn[0], []byte("(D:20000101000000)")) != 2 {
				t.Errorf("%s.pdf has a date of its own", name)
			}
		}
	}
}

// A PDF begins and ends as one, its table of objects where it says, and has the
// font in it.
func TestPDF(t *testing.T) {
	f, err := kinds(200)["rtt"](Column)
	b := written(t, f, err, PDF)
	if !bytes.HasPrefix(b, []byte("%PDF-1.")) || !bytes.HasSuffix(b, []byte("%%EOF\n")) {
		t.Errorf("the PDF begins with %q and ends with %q", b[:8], b[len(b)-8:])
	}
	if !bytes.Contains(b, []byte("/FontFile2")) || !bytes.Contains(b, []byte("/MediaBox [0 0 249.45")) {
		t.Error("the PDF has no font, or another size")
	}
}

func TestFormats(t *testing.T) {
	for name, want := range map[string]Format{"a.svg": SVG, "b/c.PNG": PNG, "d.e.pdf": PDF, "f.jpg": "", "svg": "", "": "", ".pdf.gz": ""} {
		if f, ok := FormatOf(name); f != want || ok != (want != "") {
			t.Errorf("FormatOf(%q) = %q, %v; want %q", name, f, ok, want)
		}
	}
	f, err := kinds(200)["rtt"](Column)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Write(io.Discard, "jpg"); err == nil || !strings.Contains(err.Error(), "want svg, png or pdf") {
		t.Errorf("a jpg: %v", err)
	}
	for _, format := range []Format{SVG, PDF} {
		if err := f.Write(broken{}, format); !errors.Is(err, errBroken) {
			t.Errorf("%s to where nothing can be written: %v", format, err)
		}
	}
}

// A figure that needs a font on a disk that has no room says so, and does not
// bring the program down.
func TestPanic(t *testing.T) {
	f := &Figure{width: 100, height: 100, parts: []part{{draw: nil}}}
	if err := f.Write(io.Discard, SVG); err == nil || !strings.Contains(err.Error(), "could not be drawn") {
		t.Errorf("a figure that panics: %v", err)
	}
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestWidths(t *testing.T) {
	for name, draw := range kinds(200) {
		for _, w := range []Width{0, 59, 401, -88, Width(math.NaN()), Width(math.Inf(1))} {
			if _, err := draw(w); err == nil || !strings.Contains(err.Error(), "want 60 to 400") {
				t.Errorf("%s at %v mm: %v", name, w, err)
			}
		}
		for w := Width(60); w <= 400; w += 17 {
			f, err := draw(w)
			texts(t, written(t, f, err, SVG))
		}
	}
}
