package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lightdht/lightdht/lightdht"
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

// Every column that a command writes is in the dictionary, and the dictionary
// has no other.
func TestColumnsAreInTheDictionary(t *testing.T) {
	page, err := os.ReadFile("../../datasets/README.md")
	if err != nil {
		t.Fatal(err)
	}
	var described []string
	for _, m := range regexp.MustCompile(`(?m)^\| ([a-z0-9_]+) \|`).FindAllSubmatch(page, -1) {
		if name := string(m[1]); name != "column" {
			described = append(described, name)
		}
	}
	written := slices.Concat(contactColumns, peerColumns, scrapeColumns, closestColumns, pingColumns, storedColumns,
		queryColumns, entranceColumns, figureColumns, ledgerColumns(t))
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
