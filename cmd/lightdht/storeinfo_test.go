package main

import (
	"fmt"
	"testing"

	"github.com/lightdht/lightdht/lightdht/dataset"
)

// What a manifest does not know is absent, not zero.
func TestRunCounts(t *testing.T) {
	rows := map[string]uint64{"tallies": 3, "sightings": 5, "queries": 0}
	files := []dataset.File{{Name: "contacts-000001-000001.sorted", Rows: 2, Bytes: 9}}
	none := "[<nil> <nil> <nil> <nil> <nil> <nil> <nil> <nil>] <nil>"
	for name, tt := range map[string]struct {
		manifest dataset.Manifest
		want     string
	}{
		"unreadable": {dataset.Manifest{}, none},
		"just began, or died then": {dataset.Manifest{
			State: dataset.Running, Rows: map[string]uint64{}, Drops: map[string]uint64{}, Files: []dataset.File{},
		}, none},
		"goes on":                      {dataset.Manifest{State: dataset.Running, Rows: rows, Drops: map[string]uint64{"malformed": 2}}, "[3 5 0 0 0 0 0 2] 0"},
		"died early, and put in order": {dataset.Manifest{State: dataset.Crashed, Rows: rows, Files: files}, "[2 5 0 0 0 0 0 <nil>] 9"},
		"and had no rows":              {dataset.Manifest{State: dataset.Crashed}, "[0 0 0 0 0 0 0 <nil>] 0"},
		"ended":                        {dataset.Manifest{State: dataset.Ended, Rows: rows, Drops: map[string]uint64{"malformed": 0}, Files: files}, "[2 5 0 0 0 0 0 0] 9"},
	} {
		if got := fmt.Sprint(runCounts(&tt.manifest), fileBytes(&tt.manifest)); got != tt.want {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
	}
}
