package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/lightdht/lightdht/lightdht/export"
	figures "github.com/lightdht/lightdht/lightdht/figure" // figure is one of bench
	"github.com/urfave/cli/v2"
)

// plotCommand has a command below it for each kind of figure. There is no manifest
// beside a figure: what it shows is in the rows of stats, which have one.
func plotCommand() *cli.Command {
	return &cli.Command{
		Name:  "plot",
		Usage: "figures for print, of what the statistics say",
		Description: "Draws what the store has, or an export of it, as SVG, PNG (300 dots an inch) or PDF, as wide as one column of a\n" +
			"paper or two. The numbers of each figure are those of lightdht stats: the same words with --format csv have them.",
		Subcommands: []*cli.Command{plotIDsCommand(), plotSizeCommand(), plotNodesCommand(), plotRTTCommand()},
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return usagef("say what of: plot ids, size, nodes or rtt: see lightdht plot --help")
			}
			return usagef("no figure of %q: want ids, size, nodes or rtt: see lightdht plot --help", c.Args().First())
		},
	}
}

// plotFlags are the flags of all figures: where the data is, which of it counts,
// and how the figure is written.
func plotFlags(more ...cli.Flag) []cli.Flag {
	return append(append([]cli.Flag{
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE`, which ends in .svg, .png or .pdf; -: stdout"},
		&cli.StringFlag{Name: "format", Usage: "`FORMAT`: svg, png or pdf", DefaultText: "as FILE ends; svg"},
		&cli.Float64Flag{Name: "width", Usage: "how wide it is, in `MM`: 88 is one column, 180 are two", Value: float64(figures.Column)},
		storeFlag(),
		&cli.StringFlag{Name: "network", Usage: "the usual store of this `NETWORK`: public, private or private:NAME", Value: "auto", DefaultText: "public"},
	}, filterFlags()...), more...)
}

// allFlag has contacts counted that only were mentioned.
func allFlag() cli.Flag {
	return &cli.BoolFlag{Name: "all", Usage: "count contacts that never answered, too"}
}

// plotting is how and where to a figure is written.
type plotting struct {
	width  figures.Width
	format figures.Format
	out    place
	told   []string // what must be known of the figure beside it
}

// tell adds to what is said once there is a figure.
func (p *plotting) tell(format string, args ...any) {
	p.told = append(p.told, fmt.Sprintf(format, args...))
}

// plotAction returns the action of a command that draws what data holds. The flags
// that say where to are held to sense before anything is read, as reading may take
// a while; and nothing is written, not even a beginning, unless there is a figure.
func plotAction(draw func(*cli.Context, *data, *plotting) (*figures.Figure, error)) cli.ActionFunc {
	return func(c *cli.Context) error {
		p, err := readPlotting(c)
		if err != nil {
			return err
		}
		d, err := openData(c)
		if err != nil {
			return err
		}
		defer d.close()
		if err := p.out.spares(d.inputs()); err != nil {
			return err
		}
		f, err := draw(c, d, p)
		if usage := (usageError{}); errors.As(err, &usage) {
			return err
		} else if errors.Is(err, context.Canceled) {
			return p.out.left(err)
		} else if err != nil {
			return d.about(err)
		}
		if err := p.write(c, f); err != nil {
			return err
		}
		return d.whether()
	}
}

// readPlotting reads the flags that say how, before anything is read.
func readPlotting(c *cli.Context) (p *plotting, err error) {
	p = &plotting{width: figures.Width(c.Float64("width")), out: place{name: c.String("output")}}
	switch {
	case c.IsSet("output") && p.out.name == "":
		return nil, usagef("--output: want the name of a file, or - for stdout")
	case p.out.name == "-":
		p.out.name = ""
	}
	if !(p.width >= figures.Narrowest && p.width <= figures.Widest) {
		return nil, usagef("--width %v: want %v to %v mm, such as 88, a column, or 180, two of them", p.width, figures.Narrowest, figures.Widest)
	}
	if p.format, err = p.formatOf(c); err != nil {
		return nil, err
	}
	if p.out.name == "" && onTerminal(c) {
		return nil, usagef("a picture is nothing for a terminal: name a file with -o FILE")
	}
	return p, p.out.find(c.App.Writer, export.Format(p.format))
}

// formatOf returns the format: that of --format, or the one by which FILE ends; SVG
// for stdout. An SVG that is compressed is another format to browsers, which .svgz
// would have to say.
func (p *plotting) formatOf(c *cli.Context) (figures.Format, error) {
	if c.IsSet("format") {
		f, ok := figures.ParseFormat(c.String("format"))
		if !ok {
			return "", usagef("--format %q: want %s", c.String("format"), join(figures.Formats))
		}
		if compressed(p.out.name) {
			return "", usagef("-o %s: figures are not compressed as a whole: leave %s out", p.out.name, filepath.Ext(p.out.name))
		}
		if ending, tells := figures.FormatOf(p.out.name); tells && ending != f {
			return "", usagef("-o %s and --format %s contradict each other: leave one of them out", p.out.name, f)
		}
		return f, nil
	}
	f, ok := figures.FormatOf(p.out.name)
	switch {
	case ok:
		return f, nil
	case p.out.name == "":
		return figures.SVG, nil
	}
	return "", usagef("-o %s: its ending tells no format: want %s; or name it with --format", p.out.name, join([]string{".svg", ".png", ".pdf"}))
}

// write writes the figure: a file is there whole, or stays as it was.
func (p *plotting) write(c *cli.Context, f *figures.Figure) error {
	for _, s := range p.told {
		fmt.Fprintln(c.App.ErrWriter, s)
	}
	o := &dumpFile{place: &p.out}
	if err := o.open(c.App.Writer, export.Format(p.format)); err != nil {
		return err
	}
	o.Writer = unwritten{}
	err := c.Context.Err()
	if err == nil {
		err = o.named(f.Write(o.to, p.format))
	}
	if err := o.end(err); err != nil {
		return p.out.left(err)
	}
	if p.out.name != "" {
		width, height := f.Size()
		fmt.Fprintf(c.App.ErrWriter, "wrote %s, %.0f by %.0f mm\n", p.out.name, width, height)
	}
	return nil
}

// oneOf returns the value of a flag that must be one of some words.
func oneOf(c *cli.Context, flag string, words []string) (string, error) {
	word := c.String(flag)
	if !slices.Contains(words, word) {
		return "", usagef("--%s %q: want %s", flag, word, join(words))
	}
	return word, nil
}
