package table

import (
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// all returns the elements of a list.
func (l *list[T]) all() (vs []T) {
	for i := range l.len() {
		vs = append(vs, *l.at(uint32(i)))
	}
	return vs
}

func TestListIsASlice(t *testing.T) {
	for name, from := range map[string]*quarry[int]{"made": nil, "cut": new(quarry[int])} {
		t.Run(name, func(t *testing.T) {
			seed := rand.Uint64()
			t.Log("seed", seed)
			r := rand.New(rand.NewPCG(seed, 0))
			l, want := list[int]{from: from}, []int(nil)
			for i := range 40_000 {
				if grows := i/8000%2 == 0; len(want) > 0 && r.IntN(4) == 0 == grows {
					l.drop()
					want = want[:len(want)-1]
				} else {
					want = append(want, i)
					if pos := l.add(i); int(pos) != len(want)-1 {
						t.Fatalf("number %d was added at %d", len(want)-1, pos)
					}
				}
				if r.IntN(2000) == 0 && !slices.Equal(l.all(), want) {
					t.Fatalf("%d elements, want %d, or others", l.len(), len(want))
				}
			}
		})
	}
}

// A list that grows leaves what is in full chunks where it is, and takes up to a
// fourth, then an eighth more than it needs.
func TestListGrowth(t *testing.T) {
	var l list[uint64]
	var first *uint64
	for n := range uint64(20 * chunkLen) {
		l.add(n)
		if n == chunkLen {
			first = l.at(0)
		}
		room, size := len(l.full)*chunkLen+cap(l.last), l.len()
		if spare := room - size; size < chunkLen && spare > 4+size/4 || size >= chunkLen && spare > size/8 {
			t.Fatalf("room for %d of %d", room, size)
		}
	}
	if l.at(0) != first {
		t.Error("a full chunk was copied")
	}
}

// Lists that take turns get chunks of their own, cut from few blocks.
func TestQuarry(t *testing.T) {
	var q quarry[uint64]
	lists := []list[uint64]{{from: &q}, {from: &q}}
	const n = 200 * chunkLen
	for i := range uint64(n) {
		for k := range lists {
			lists[k].add(i<<1 | uint64(k))
		}
	}
	for k := range lists {
		for i, v := range lists[k].all() {
			if v != uint64(i)<<1|uint64(k) {
				t.Fatalf("list %d has %d at %d", k, v, i)
			}
		}
	}
	if spare := len(q.block); q.cut < 2*n/chunkLen-16 || spare > 2*n/32 {
		t.Errorf("%d chunks cut, %d to spare", q.cut, spare)
	}
}

func TestSizes(t *testing.T) {
	for name, got := range map[string][2]uintptr{
		"record":      {unsafe.Sizeof(record{}), 64},
		"bucket":      {unsafe.Sizeof(bucket{}), 64},
		"entry":       {unsafe.Sizeof(entry{}), 12},
		"livingChunk": {unsafe.Sizeof(livingChunk{}), 256},
	} {
		if got[0] > got[1] {
			t.Errorf("a %s takes %d bytes, want %d", name, got[0], got[1])
		}
	}
}
