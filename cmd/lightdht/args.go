package main

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

// flagsFirst moves a command's flags before its arguments, so that both
// "probe HASH --table flat" and "probe --table flat HASH" work: the parser
// underneath stops at the first argument. Asked for help or for what may be
// typed next, it leaves the arguments out: they have nothing to say there.
func flagsFirst(app *cli.App, args []string) ([]string, error) {
	if len(args) < 2 {
		return args, nil
	}
	command, words := commandOf(app, args)
	if args[len(args)-1] == completeFlag {
		return append(args[:words:words], completeFlag), nil
	}
	if command == nil {
		return args, nil
	}
	valued := valuedFlags(command.Flags)
	var flags, rest []string
	for i := words; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			rest = append(rest, args[i+1:]...)
			break
		}
		if arg == "-" || !strings.HasPrefix(arg, "-") {
			rest = append(rest, arg)
			continue
		}
		name := strings.TrimLeft(arg, "-")
		if name == "help" || name == "h" {
			return append(args[:words:words], "--help"), nil
		}
		flags = append(flags, arg)
		if valued[name] {
			if i++; i == len(args) {
				return nil, usagef("flag --%s needs a value: see lightdht %s --help", name, strings.Join(args[1:words], " "))
			}
			flags = append(flags, args[i])
		}
	}
	out := append(args[:words:words], flags...)
	if len(rest) > 0 {
		out = append(append(out, "--"), rest...)
	}
	return out, nil
}

// commandOf returns the command that args begin with, nil when there is none, and
// how many of them name it: two, the program's name among them, or three.
func commandOf(app *cli.App, args []string) (command *cli.Command, words int) {
	command = app.Command(args[1])
	if command == nil {
		return nil, 1
	}
	if len(args) > 2 {
		for _, sub := range command.Subcommands {
			if sub.HasName(args[2]) {
				return sub, 3
			}
		}
	}
	return command, 2
}

// completeFlag is the last argument when a shell asks what may be typed next.
const completeFlag = "--generate-bash-completion"

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
	const most = min(1<<40, math.MaxInt)
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || n > most/factor {
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

// badValue is how the parser underneath says that it cannot read a flag's value.
var badValue = regexp.MustCompile(`(?s)^invalid (?:boolean )?value (".*") for (?:flag )?-([^:]+): (.*)$`)

// onUsageError says what the parser underneath dislikes as the rest of the
// program would.
func onUsageError(c *cli.Context, err error, _ bool) error {
	text := err.Error()
	if m := badValue.FindStringSubmatch(text); m != nil {
		text = fmt.Sprintf("--%s %s: %s", m[2], m[1], wanted(c.Command, m[2], m[3]))
	} else if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		text = "no flag --" + name
		if commandWord(c) == "" {
			text += " before a command"
		}
	}
	return usagef("%s: see lightdht %s--help", text, commandWord(c))
}

// wanted says what the value of a flag looks like, text if nothing better is known.
func wanted(command *cli.Command, flag, text string) string {
	for _, f := range command.Flags {
		if !slices.Contains(f.Names(), flag) {
			continue
		}
		switch f.(type) {
		case *cli.IntFlag, *cli.IntSliceFlag:
			return "want a whole number"
		case *cli.Uint64Flag:
			return "want a whole number, 0 or more"
		case *cli.Float64Flag:
			return "want a number"
		case *cli.DurationFlag:
			return "want a time such as 5s or 500ms"
		case *cli.BoolFlag:
			return "want true or false"
		}
	}
	return text
}

func commandWord(c *cli.Context) string {
	if c.Command == nil || c.Command.Name == "" || c.Command.Name == "lightdht" {
		return ""
	}
	return strings.TrimPrefix(c.Command.HelpName, "lightdht ") + " "
}

// oneLine returns err's text on one line, as a terminal may have it: errors quote
// what is in files.
func oneLine(err error) string {
	return brief(strings.Join(strings.Fields(err.Error()), " "), 2000)
}
