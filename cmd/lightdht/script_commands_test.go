package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptCommands are commands of the scripts. Those that read or check a table
// take it from the standard output of the command before.
//
//	status N command…              the command exits with status N
//	fails N command…               so it does, saying why in one line, and nothing else anywhere
//	interrupt N PATTERN command…   so it does after Ctrl-C, pressed when a line of its standard error matches
//	hangup N PATTERN command…      so it does after SIGHUP, sent at such a line and the one after it
//	deaf N PATTERN command…        so it does when besides nobody reads its standard error from then on
//	unread N PATTERN command…      so it does when nobody reads its standard output, from the beginning
//	killed PATTERN command…        the command is killed when a line of its standard error matches
//	robbed N FOLDER PATTERN command…   so it does after the folder is moved away at such a line, and Ctrl-C
//	beside PATTERN command… -- command…   the second runs, with status 0, once a line of the first matches, which Ctrl-C then ends
//	rotated FILE command…          so does it with status 0, after FILE, once it had rows, was renamed and SIGHUP sent
//	rows FORMAT N                  there are N rows, in correct FORMAT
//	column FORMAT NAME             prints one column, or field NAME of text, 1 being the first
//	sorted                         prints the lines sorted
//	distinct N                     there are N lines, all different
//	estimated N                    standard error tells one size of a network, with N in its interval
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"status":    statusCommand,
	"fails":     failsCommand,
	"interrupt": interruptCommand,
	"hangup":    hangupCommand,
	"deaf":      deafCommand,
	"unread":    unreadCommand,
	"killed":    killedCommand,
	"robbed":    robbedCommand,
	"beside":    besideCommand,
	"rotated":   rotatedCommand,
	"rows":      rowsCommand,
	"column":    columnCommand,
	"sorted":    sortedCommand,
	"distinct":  distinctCommand,
	"estimated": estimatedCommand,
}

// arguments ends the script unless there are at least n and no "!" before.
func arguments(ts *testscript.TestScript, neg bool, args []string, n int) {
	if neg || len(args) < n {
		ts.Fatalf("too few arguments, or unsupported: !")
	}
}

func number(ts *testscript.TestScript, s string) int {
	n, err := strconv.Atoi(s)
	ts.Check(err)
	return n
}

func statusCommand(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2)
	checkStatus(ts, ts.Exec(args[1], args[2:]...), number(ts, args[0]))
}

func checkStatus(ts *testscript.TestScript, err error, want int) {
	got := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

func failsCommand(ts *testscript.TestScript, neg bool, args []string) {
	statusCommand(ts, neg, args)
	said, data := ts.ReadFile("stderr"), ts.ReadFile("stdout")
	if !strings.HasPrefix(said, "lightdht: ") || strings.Count(said, "\n") != 1 || !strings.HasSuffix(said, "\n") {
		ts.Fatalf("standard error is not one line of ours: %q", said)
	}
	if data != "" {
		ts.Fatalf("data in spite of the failure: %q", data)
	}
}

func interruptCommand(ts *testscript.TestScript, neg bool, args []string) {
	interrupted(ts, neg, args, ts.Stdout(), func(io.Closer) {})
}

func deafCommand(ts *testscript.TestScript, neg bool, args []string) {
	interrupted(ts, neg, args, ts.Stdout(), func(stderr io.Closer) { ts.Check(stderr.Close()) })
}

func unreadCommand(ts *testscript.TestScript, neg bool, args []string) {
	reader, stdout, err := os.Pipe()
	ts.Check(err)
	defer stdout.Close()
	ts.Check(reader.Close())
	interrupted(ts, neg, args, stdout, func(io.Closer) {})
}

// interrupted runs a command until a line of its standard error matches, and
// calls before then, with what that is read from.
func interrupted(ts *testscript.TestScript, neg bool, args []string, stdout io.Writer, before func(stderr io.Closer)) {
	arguments(ts, neg, args, 3)
	when, err := regexp.Compile(args[1])
	ts.Check(err)
	seen := false
	err = watched(ts, args[2:], stdout, func(p *os.Process, stderr io.Closer, line []byte) {
		if !seen && when.Match(line) {
			seen = true
			before(stderr)
			ts.Check(p.Signal(os.Interrupt))
		}
	})
	if !seen {
		ts.Fatalf("no line of standard error matched")
	}
	checkStatus(ts, err, number(ts, args[0]))
}

// once calls do for the first of the lines that match.
func once(ts *testscript.TestScript, pattern string, do func(p *os.Process)) func(*os.Process, io.Closer, []byte) {
	when, err := regexp.Compile(pattern)
	ts.Check(err)
	seen := false
	return func(p *os.Process, _ io.Closer, line []byte) {
		if !seen && when.Match(line) {
			seen = true
			do(p)
		}
	}
}

// hangupCommand sends the signal as a terminal does that is closed: more than once.
func hangupCommand(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 3)
	when, err := regexp.Compile(args[1])
	ts.Check(err)
	seen := 0
	err = watched(ts, args[2:], ts.Stdout(), func(p *os.Process, _ io.Closer, line []byte) {
		if seen > 0 && seen < 2 || seen == 0 && when.Match(line) {
			seen++
			p.Signal(syscall.SIGHUP) // the second one may find it gone
		}
	})
	if seen == 0 {
		ts.Fatalf("no line of standard error matched")
	}
	checkStatus(ts, err, number(ts, args[0]))
}

func killedCommand(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2)
	err := watched(ts, args[1:], ts.Stdout(), once(ts, args[0], func(p *os.Process) { ts.Check(p.Kill()) }))
	if err == nil {
		ts.Fatalf("it ended by itself")
	}
}

func robbedCommand(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 4)
	err := watched(ts, args[3:], ts.Stdout(), once(ts, args[2], func(p *os.Process) {
		name := ts.MkAbs(args[1])
		ts.Check(os.Rename(name, name+".moved"))
		ts.Check(p.Signal(os.Interrupt))
	}))
	checkStatus(ts, err, number(ts, args[0]))
}

func besideCommand(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 4)
	both := slices.Index(args, "--")
	if both < 0 {
		ts.Fatalf("no second command")
	}
	second := args[both+1:]
	err := watched(ts, args[1:both], ts.Stdout(), once(ts, args[0], func(p *os.Process) {
		err := watched(ts, second, ts.Stdout(), func(*os.Process, io.Closer, []byte) {})
		ts.Check(p.Signal(os.Interrupt))
		ts.Check(err)
	}))
	checkStatus(ts, err, 0)
}

// watched runs a command and shows each line of its standard error to saw, which
// may close it.
func watched(ts *testscript.TestScript, args []string, stdout io.Writer, saw func(p *os.Process, stderr io.Closer, line []byte)) error {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = os.Environ()
	for _, name := range []string{"XDG_DATA_HOME", "LIGHTDHT_STORE", "TMPDIR"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	cmd.Stdout = stdout
	stderr, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		fmt.Fprintln(ts.Stderr(), lines.Text())
		saw(cmd.Process, stderr, lines.Bytes())
	}
	return cmd.Wait()
}

// rotatedCommand needs a command that tells its status now and then.
func rotatedCommand(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2)
	name := ts.MkAbs(args[0])
	renamed, ended := false, false
	err := watched(ts, args[1:], ts.Stdout(), func(p *os.Process, _ io.Closer, _ []byte) {
		data, err := os.ReadFile(name)
		switch {
		case !renamed && bytes.Count(data, []byte("\n")) > 1:
			renamed = true
			ts.Check(os.Rename(name, name+".1"))
			ts.Check(p.Signal(syscall.SIGHUP))
		case renamed && !ended && err == nil:
			ended = true
			ts.Check(p.Signal(os.Interrupt))
		}
	})
	checkStatus(ts, err, 0)
}

func rowsCommand(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2)
	table, err := parseTable(args[0], ts.ReadFile("stdout"))
	ts.Check(err)
	if want := number(ts, args[1]); len(table) != want {
		ts.Fatalf("%d rows, want %d", len(table), want)
	}
}

func columnCommand(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2)
	table, err := parseTable(args[0], ts.ReadFile("stdout"))
	ts.Check(err)
	for _, row := range table {
		value, ok := row[args[1]]
		if !ok {
			ts.Fatalf("no column %s", args[1])
		}
		fmt.Fprintln(ts.Stdout(), value)
	}
}

func sortedCommand(ts *testscript.TestScript, neg bool, args []string) {
	lines := strings.Split(strings.TrimSuffix(ts.ReadFile("stdout"), "\n"), "\n")
	slices.Sort(lines)
	fmt.Fprintln(ts.Stdout(), strings.Join(lines, "\n"))
}

func distinctCommand(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1)
	lines := strings.Split(strings.TrimSuffix(ts.ReadFile("stdout"), "\n"), "\n")
	all := len(lines)
	slices.Sort(lines)
	if n := len(slices.Compact(lines)); n != all || n != number(ts, args[0]) {
		ts.Fatalf("%d lines, %d of them different, want %s", all, n, args[0])
	}
}

var estimate = regexp.MustCompile(`(?m)^network size \(ipv4\): (\d+) \(95 % interval (\d+) to (\d+), pooled over \d+ lookups\)$`)

func estimatedCommand(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1)
	told := estimate.FindAllStringSubmatch(ts.ReadFile("stderr"), -1)
	if len(told) != 1 {
		ts.Fatalf("%d estimates, want one", len(told))
	}
	size, low, high, truth := number(ts, told[0][1]), number(ts, told[0][2]), number(ts, told[0][3]), number(ts, args[0])
	if low >= size || size >= high || truth < low || truth > high {
		ts.Fatalf("%s, but there are %d nodes", told[0][0], truth)
	}
}

// parseTable reads what the program wrote in a format, and nothing more lenient.
func parseTable(format, data string) (table []map[string]string, err error) {
	switch format {
	case "text":
		for line := range strings.Lines(data) {
			row := map[string]string{}
			for i, field := range strings.Split(strings.TrimSuffix(line, "\n"), "\t") {
				row[strconv.Itoa(i+1)] = field
			}
			table = append(table, row)
		}
	case "csv":
		return parseCSV(data)
	case "json", "ndjson":
		return parseJSON(format, data)
	default:
		err = fmt.Errorf("no format %q", format)
	}
	return table, err
}

func parseCSV(data string) (table []map[string]string, err error) {
	if strings.Count(data, "\n") != strings.Count(data, "\r\n") {
		return nil, errors.New("csv: a line that does not end in CR LF")
	}
	lines, err := csv.NewReader(strings.NewReader(data)).ReadAll()
	if err != nil || len(lines) == 0 {
		return nil, fmt.Errorf("csv: no header: %w", err)
	}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, field := range line {
			row[lines[0][i]] = field
		}
		table = append(table, row)
	}
	return table, nil
}

func parseJSON(format, data string) (table []map[string]string, err error) {
	var objects []map[string]any
	if format == "json" {
		err = json.Unmarshal([]byte(data), &objects)
	} else {
		for line := range strings.Lines(data) {
			var object map[string]any
			err = errors.Join(err, json.Unmarshal([]byte(line), &object))
			objects = append(objects, object)
		}
	}
	for _, object := range objects {
		row := map[string]string{}
		for name, value := range object {
			if row[name] = fmt.Sprint(value); value == nil {
				row[name] = ""
			}
		}
		table = append(table, row)
	}
	return table, err
}
