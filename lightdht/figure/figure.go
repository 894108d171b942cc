// Package figure draws what package analysis returns, for print: the IDs of a
// network against chance, its size against the number of lookups, its clients,
// its round trips.
//
//	f, err := figure.RoundTrips(data, figure.Column)
//	if err != nil {
//		return err // what the data lacks, in one sentence
//	}
//	err = f.Write(file, figure.PDF)
//
// A figure is as wide as a column of a paper, 88 mm, or as two of them, 180 mm;
// its height follows from what it shows. All have one style: text of 8 points in
// Liberation Sans, axes with their units, what is uncertain drawn as a band or a
// bar. Colours are told apart by those who see fewer of them, and by their
// lightness in a grey copy; lines differ in dashes and marks too.
//
// It computes nothing but positions on paper and, where a figure compares with
// chance, what chance would show; each function says so. The same input gives
// the same bytes. A number that is none (NaN, infinite) is an error, never a
// hole in a picture.
package figure

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Width is how wide a figure is, in millimetres.
type Width float64

// The widths that journals have, and the least and the greatest that there are.
const (
	Column Width = 88  // one column
	Page   Width = 180 // two columns

	Narrowest Width = 60
	Widest    Width = 400
)

// Format is the form of a picture.
type Format string

const (
	SVG Format = "svg" // vectors; text stays text, in Liberation Sans or what is as wide
	PNG Format = "png" // 300 dots an inch
	PDF Format = "pdf" // vectors, with the font
)

// Formats are all there are.
var Formats = []Format{SVG, PNG, PDF}

// FormatOf returns the format by which the name of a file ends.
func FormatOf(name string) (f Format, ok bool) {
	return ParseFormat(strings.TrimPrefix(filepath.Ext(name), "."))
}

// ParseFormat returns the format of this name, in whatever case.
func ParseFormat(name string) (f Format, ok bool) {
	for _, f := range Formats {
		if strings.EqualFold(name, string(f)) {
			return f, true
		}
	}
	return "", false
}

// Figure is a picture that was composed and can be written, more than once.
type Figure struct {
	width, height vg.Length
	parts         []part
}

// part is a part of a figure, in a rectangle of its own.
type part struct {
	at   vg.Rectangle
	draw func(draw.Canvas)
}

// Size returns width and height in millimetres.
func (f *Figure) Size() (width, height float64) {
	return float64(f.width / vg.Millimeter), float64(f.height / vg.Millimeter)
}

// Write writes the figure. The bytes depend on the figure and the format alone.
func (f *Figure) Write(w io.Writer, format Format) (err error) {
	defer func() { // the library panics when it cannot make a font, as on a full disk
		if p := recover(); p != nil {
			err = fmt.Errorf("the figure could not be drawn: %v", p)
		}
	}()
	var canvas vg.CanvasWriterTo
	var settle func([]byte) ([]byte, error)
	switch format {
	case SVG:
		canvas, settle = vgsvg.New(f.width, f.height), settleSVG
	case PNG:
		canvas, settle = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(f.width, f.height), vgimg.UseDPI(dotsPerInch))}, settlePNG
	case PDF:
		canvas, settle = vgpdf.New(f.width, f.height), settlePDF
	default:
		return fmt.Errorf("format %q: want svg, png or pdf", format)
	}
	f.draw(draw.New(canvas))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return err
	}
	whole, err := settle(b.Bytes())
	if err != nil {
		return err
	}
	_, err = w.Write(whole)
	return err
}

// draw draws all parts on white.
func (f *Figure) draw(c draw.Canvas) {
	fill(c, c.Rectangle, white)
	for _, p := range f.parts {
		p.draw(draw.Canvas{Canvas: c.Canvas, Rectangle: p.at})
	}
}
