package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/export"
)

// ledgerColumns are the columns of a ledger.
func ledgerColumns(t *testing.T) []string {
	var none *lightdht.Ledger
	var b strings.Builder
	if err := none.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(b.String()), ",")
}

// dictionary reads the names and types that datasets/README.md describes.
func dictionary(t *testing.T) (names []string, types map[string]string) {
	page, err := os.ReadFile("../../datasets/README.md")
	if err != nil {
		t.Fatal(err)
	}
	types = map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| ([a-z0-9_]+) \| (\w+) \| [^|]+ \| .+ \| [^|]+ \|$`).FindAllStringSubmatch(string(page), -1) {
		if name := m[1]; name != "column" {
			names = append(names, name)
			if types[name] != "" {
				t.Errorf("datasets/README.md describes %s twice", name)
			}
			types[name] = m[2]
		}
	}
	return names, types
}

// Each row of the dictionary is one of the table: nothing stands between them that
// would end it.
func TestDictionaryIsOneTable(t *testing.T) {
	page, err := os.ReadFile("../../datasets/README.md")
	if err != nil {
		t.Fatal(err)
	}
	tables, inside := 0, false
	for line := range strings.Lines(string(page)) {
		row := strings.HasPrefix(line, "|")
		if row && !inside {
			tables++
		}
		if fields := strings.Count(line, "|"); row && fields != 6 {
			t.Errorf("not five columns: %s", line)
		}
		inside = row
	}
	if tables != 1 {
		t.Errorf("%d tables, want one", tables)
	}
}

// Every column that a command writes is in the dictionary, and the dictionary
// has no other.
func TestColumnsAreInTheDictionary(t *testing.T) {
	described, types := dictionary(t)
	written := slices.Concat(peerColumns, scrapeColumns, closestColumns, pingColumns, storedColumns,
		queryColumns, runColumns, entranceColumns, figureColumns, ledgerColumns(t))
	schemas := map[export.What]export.Schema{"stats": findingSchema}
	for _, what := range export.Whats {
		schemas[what] = export.SchemaOf(what)
	}
	for what, schema := range schemas {
		for _, c := range schema {
			written = append(written, c.Name)
			if types[c.Name] != c.Type.String() {
				t.Errorf("%s in %s is of type %s, datasets/README.md says %q", c.Name, what, c.Type, types[c.Name])
			}
		}
	}
	for _, name := range written {
		if !slices.Contains(described, name) {
			t.Errorf("column %s is not in datasets/README.md", name)
		}
	}
	for _, name := range described {
		if !slices.Contains(written, name) {
			t.Errorf("datasets/README.md describes %s, which no command writes", name)
		}
	}
}
