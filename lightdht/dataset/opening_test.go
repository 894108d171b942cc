package dataset

import (
	"slices"
	"testing"
)

// Files that come, or become others, while they are opened are all opened, once.
func TestFilesChangeWhileOpened(t *testing.T) {
	for name, c := range map[string]struct {
		from, to int // of the logs that are there
		change   func(t *testing.T, s *sorter)
		want     []dataFile
	}{
		"one comes": {1, 2, func(t *testing.T, s *sorter) { logged(t, s.dir, 3, 2) }, []dataFile{
			{sort: sortTallies, from: 1}, {sort: sortTallies, from: 2}, {sort: sortTallies, from: 3},
		}},
		"one is sorted": {1, 2, func(t *testing.T, s *sorter) { s.add(1) }, []dataFile{
			{sort: sortSorted, from: 1}, {sort: sortTallies, from: 2},
		}},
		"all are merged": {1, 4, func(t *testing.T, s *sorter) {
			for number := range fanIn {
				s.add(number + 1)
			}
		}, []dataFile{{sort: sortSorted, from: 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSorter(t.TempDir(), RunID{})
			for number := c.from; number <= c.to; number++ {
				logged(t, s.dir, number, 2)
			}
			asked := 0
			files, err := openFiles(s.dir, func(d dataFile) bool {
				if asked++; asked == 1 { // they were listed
					c.change(t, s)
					if err := s.wait(); err != nil {
						t.Error(err)
					}
				}
				return true
			}, func(err error) { t.Error(err) })
			if err != nil {
				t.Fatal(err)
			}
			var got []dataFile
			for _, r := range files {
				got = append(got, dataFile{sort: r.sort, from: r.from})
				r.close()
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("opened %v, want %v", got, c.want)
			}
		})
	}
}
