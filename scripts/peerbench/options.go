package main

import (
	"flag"
	"fmt"
	"io"
	"math"
	"time"
)

// options are the flags.
type options struct {
	passes   int
	contacts int
	span     time.Duration
	only     string
	list     bool
	brief    bool
}

// mostContacts is how many package server has addresses for.
const mostContacts = 1 << 23

// parse reads the command line. What is wrong with it is said in a line.
func parse(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("peerbench", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.IntVar(&o.passes, "passes", 5, "`times` that everything is measured; the table has the medians")
	flags.IntVar(&o.contacts, "contacts", 1_000_000, "`contacts` of the larger tables")
	seconds := flags.Float64("seconds", 2, "`seconds` that one measurement of a server lasts")
	flags.StringVar(&o.only, "only", "", "measure this `part` alone: "+partNames())
	flags.BoolVar(&o.brief, "brief", false, "write the medians alone, a line for each piece of work")
	flags.BoolVar(&o.list, "list", false, "say what would be measured, and why not, and end")
	if err := flags.Parse(args); err != nil {
		if err == flag.ErrHelp {
			fmt.Fprintln(stderr, "usage: peerbench [flags]; the table goes to stdout")
			flags.SetOutput(stderr)
			flags.PrintDefaults()
		}
		return o, err
	}
	o.span = time.Duration(*seconds * float64(time.Second))
	return o, o.check(*seconds, flags.Args())
}

func (o options) check(seconds float64, rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("there is no argument %q: give flags only, see -help", rest[0])
	case o.passes < 1:
		return fmt.Errorf("-passes %d: give 1 or more", o.passes)
	case o.contacts < 1000 || o.contacts > mostContacts:
		return fmt.Errorf("-contacts %d: give 1000 to %d", o.contacts, mostContacts)
	case math.IsNaN(seconds) || seconds < 0.1 || seconds > 3600:
		return fmt.Errorf("-seconds %v: give 0.1 to 3600", seconds)
	case o.only != "" && !known(o.only):
		return fmt.Errorf("-only %s: choose one of %s", o.only, partNames())
	}
	return nil
}
