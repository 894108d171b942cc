package kad

import (
	"math/big"
	"testing"
)

// slowSpread walks the space in n steps and carries the remainder along.
func slowSpread(seed ID, n int64) []ID {
	space := new(big.Int).Lsh(big.NewInt(1), Bits)
	step, rest := new(big.Int).QuoRem(space, big.NewInt(n), new(big.Int))
	at, carried := number(seed), new(big.Int)
	var ids []ID
	for range n {
		ids = append(ids, ID(at.FillBytes(make([]byte, Size))))
		at.Add(at, step)
		if carried.Add(carried, rest).Cmp(big.NewInt(n)) >= 0 {
			carried.Sub(carried, big.NewInt(n))
			at.Add(at, big.NewInt(1))
		}
		at.Mod(at, space)
	}
	return ids
}

func TestSpread(t *testing.T) {
	r := source(t)
	seeds := []ID{{}, highest, randomID(r)}
	for _, seed := range seeds {
		for _, n := range []int{1, 2, 3, 7, 8, 10, 255, 1000} {
			got, want := Spread(seed, n), slowSpread(seed, int64(n))
			if len(got) != n {
				t.Fatalf("Spread(%v, %d) has %d IDs", seed, n, len(got))
			}
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("Spread(%v, %d)[%d] = %v, want %v", seed, n, i, got[i], want[i])
				}
			}
		}
	}
}

func TestSpreadFillsZones(t *testing.T) {
	seen := map[Prefix]bool{}
	for _, id := range Spread(randomID(source(t)), 256) {
		seen[id.Prefix(8)] = true
	}
	if len(seen) != 256 {
		t.Errorf("256 IDs lie in %d of the 256 zones of 8 bits", len(seen))
	}
}

func TestSpreadOfNone(t *testing.T) {
	for _, n := range []int{0, -1} {
		if got := Spread(middle, n); got != nil {
			t.Errorf("Spread(%d) = %v", n, got)
		}
	}
}
