package export

import (
	"slices"
	"testing"
)

func TestFormatOf(t *testing.T) {
	for name, want := range map[string]Format{
		"a.csv": CSV, "X.CSV": CSV, "a.csv.gz": CSV, "X.Csv.GZ": CSV, "a.ndjson.zst": NDJSON, "a.jsonl": NDJSON, "x.SQLITE": SQLite, "a.db": SQLite,
		"d.csv/a.JSON": JSON, "a.csv.txt": TextLines, "a.b.parquet": Parquet,
		"": "", "a": "", "a.gz": "", "a.xlsx": "", "a.csv.bz2": "", "a.csv.gz.gz": "", "a.csv.zst.gz": "", ".csv": "", "d.csv/a": "", "csv": "", "a.": "",
	} {
		if got, ok := FormatOf(name); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %t, want %q", name, got, ok, want)
		}
	}
	for _, end := range Endings() {
		if f, ok := FormatOf("x" + end); !ok || !slices.Contains(Formats, f) {
			t.Errorf("%s tells %q, %t", end, f, ok)
		}
	}
}

func TestEnding(t *testing.T) {
	for name, want := range map[string]string{
		"a.CSV.gz": ".csv", "a.xlsx": ".xlsx", "a.tar.bz2": ".bz2", "a": "", "a.gz": "", ".hidden": "", "d.x/a": "", ".hidden.csv": ".csv", "a.csv.gz.zst": ".gz",
	} {
		if got := Ending(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
