package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What the documentation of the program shows of a command is what that prints: the
// lines it shows, in their order, with … where it leaves some out.
func TestDocShowsOutput(t *testing.T) {
	page, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("../..")
	queries := filepath.Join(t.TempDir(), "queries.csv")
	if err := os.WriteFile(queries, []byte(madeUpQueries()), 0o600); err != nil {
		t.Fatal(err)
	}
	shown := 0
	for block := range strings.SplitSeq(string(page), "//\t$ ") {
		lines := strings.Split(block, "\n")
		if !strings.HasPrefix(lines[0], "lightdht ") {
			continue
		}
		shown++
		var out, said strings.Builder
		args := strings.Fields(strings.ReplaceAll(lines[0], "queries.csv", queries))
		if code := run(args, strings.NewReader(""), &out, &said); code != 0 {
			t.Errorf("%s: exit status %d: %s", lines[0], code, said.String())
			continue
		}
		if line := lacking(lines[1:], strings.ReplaceAll(out.String(), queries, "queries.csv")); line != "" {
			t.Errorf("%s does not print, after what stands before it,\n%s\nbut\n%s", lines[0], line, out.String())
		}
	}
	if shown < 5 {
		t.Errorf("the documentation shows %d commands", shown)
	}
}

// lacking returns the first of the lines that a documentation shows which an output
// does not have behind those before; "" when there is none.
func lacking(shown []string, output string) string {
	scan := bufio.NewScanner(strings.NewReader(output))
	skip := false
	for _, line := range shown {
		line, in := strings.CutPrefix(line, "//\t")
		switch {
		case line == "//": // an empty line, or the end
			line = ""
		case !in:
			return ""
		case line == "…":
			skip = true
			continue
		}
		for found := false; !found; {
			if !scan.Scan() {
				return line
			}
			if found = strings.TrimRight(scan.Text(), " ") == line; !found && !skip {
				return line
			}
		}
		skip = false
	}
	return ""
}

// madeUpQueries are those of 300 askers for 60 infohashes, the i-th of which is
// asked for as often as 1/i.
func madeUpQueries() string {
	r := rand.New(rand.NewPCG(3, 0))
	var b strings.Builder
	b.WriteString("time,querier_id,ip,port,family,method,infohash,client,read_only\n")
	for i := range 2000 {
		asker := min(r.IntN(300), r.IntN(300))
		method, infohash := "find_node", ""
		if r.IntN(3) > 0 {
			rank := 1
			for ; rank < 60 && r.Float64() > 0.22; rank++ {
			}
			method, infohash = "get_peers", fmt.Sprintf("%040x", rank*rank*7919)
		}
		fmt.Fprintf(&b, "2026-11-20T12:%02d:%02d.000000Z,%040x,198.18.%d.%d,6881,ipv4,%s,%s,%s,false\n",
			i/60%60, i%60, asker*104729, asker/200, asker%200, method, infohash, []string{"LT", "UT", "TR", "LT"}[asker%4])
	}
	return b.String()
}
