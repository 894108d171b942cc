package dataset

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

// rankOf says how good a choice is: segments, those alone in a file, files; false when
// two files have one segment.
func rankOf(choice []dataFile) (rank [3]int, ok bool) {
	has := map[int]bool{}
	for _, d := range choice {
		for n := d.from; n <= d.to; n++ {
			if has[n] {
				return rank, false
			}
			has[n] = true
		}
		if d.from == d.to {
			rank[1]--
		}
	}
	rank[0], rank[2] = len(has), -len(choice)
	return rank, true
}

// bestOf tries all choices.
func bestOf(all []dataFile) (best [3]int) {
	for set := range 1 << len(all) {
		var choice []dataFile
		for i, d := range all {
			if set>>i&1 != 0 {
				choice = append(choice, d)
			}
		}
		if rank, ok := rankOf(choice); ok && slices.Compare(rank[:], best[:]) > 0 {
			best = rank
		}
	}
	return best
}

// Of files that have segments in common, those are read that a look at all choices
// finds; nothing is left out of which there is no more.
func TestFilesAreChosen(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 4))
	for range 2000 {
		var all []dataFile
		for range rng.IntN(9) {
			from := 1 + rng.IntN(9)
			d := dataFile{sort: sortSorted, from: from, to: from + rng.IntN(1+rng.IntN(6))}
			if !slices.Contains(all, d) {
				all = append(all, d)
			}
		}
		want := bestOf(all)
		got := fitting(slices.Clone(all))
		choice := got[:min(-want[2], len(got))]
		if rank, ok := rankOf(choice); !ok || rank != want {
			t.Fatalf("of %v it chooses %v, rank %v, want %v", all, choice, rank, want)
		}
		for _, d := range all {
			if slices.Contains(got, d) == slices.Contains(choice, d) && d.within(choice) < d.to-d.from+1 {
				t.Fatalf("of %v it leaves out %v", all, d)
			}
		}
		for _, d := range got[len(choice):] {
			if d.within(choice) == d.to-d.from+1 || !slices.Contains(all, d) {
				t.Fatalf("of %v it keeps %v", all, d)
			}
		}
		slices.SortFunc(got, func(a, b dataFile) int { return cmp.Or(a.from-b.from, a.to-b.to) })
		if n := len(slices.Compact(got)); n != len(got) {
			t.Fatalf("of %v it has a file twice", all)
		}
	}
}
