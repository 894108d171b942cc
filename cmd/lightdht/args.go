package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

// flagsFirst moves a command's flags before its arguments, so that both
// "probe HASH --table flat" and "probe --table flat HASH" work: the parser
// underneath stops at the first argument.
func flagsFirst(app *cli.App, args []string) ([]string, error) {
	if len(args) < 2 {
		return args, nil
	}
	var command *cli.Command
	for _, c := range app.Commands {
		if c.HasName(args[1]) {
			command = c
		}
	}
	if command == nil {
		return args, nil
	}
	valued := valuedFlags(command.Flags)
	var flags, rest []string
	for i := 2; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			rest = append(rest, args[i+1:]...)
			break
		}
		if arg == "-" || !strings.HasPrefix(arg, "-") {
			rest = append(rest, arg)
			continue
		}
		flags = append(flags, arg)
		if name := strings.TrimLeft(arg, "-"); valued[name] {
			if i++; i == len(args) {
				return nil, usagef("flag --%s needs a value: see lightdht %s --help", name, command.Name)
			}
			flags = append(flags, args[i])
		}
	}
	out := append(args[:2:2], flags...)
	if len(rest) > 0 {
		out = append(append(out, "--"), rest...)
	}
	return out, nil
}

// valuedFlags returns the names of the flags that are followed by a value.
func valuedFlags(flags []cli.Flag) map[string]bool {
	valued := map[string]bool{}
	for _, f := range flags {
		if _, isBool := f.(*cli.BoolFlag); isBool {
			continue
		}
		for _, name := range f.Names() {
			valued[name] = true
		}
	}
	return valued
}

// count is a flag value that reads 200, 200k and 1M.
type count int

// Set reads a count.
func (c *count) Set(s string) error {
	digits, factor := s, 1
	if n := len(s); n > 0 {
		switch s[n-1] {
		case 'k', 'K':
			digits, factor = s[:n-1], 1_000
		case 'm', 'M':
			digits, factor = s[:n-1], 1_000_000
		}
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || n > 1<<40/factor {
		return fmt.Errorf("want a count such as 200, 200k or 1M")
	}
	*c = count(n * factor)
	return nil
}

// String returns the count in digits, nothing for zero.
func (c *count) String() string {
	if c == nil || *c == 0 {
		return ""
	}
	return strconv.Itoa(int(*c))
}

// countFlag returns a flag that reads a count.
func countFlag(name, usage string) cli.Flag {
	return &cli.GenericFlag{Name: name, Usage: usage, Value: new(count)}
}

// countOf returns the value of a countFlag.
func countOf(c *cli.Context, name string) int {
	v, _ := c.Generic(name).(*count)
	if v == nil {
		return 0
	}
	return int(*v)
}

// oneLine returns err's text on one line.
func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
