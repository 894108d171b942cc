package kad

import "math/big"

// Spread returns n IDs spread evenly over the space, grown from one: the i-th
// is seed + floor(i*2^160/n), modulo 2^160, so the first is seed itself, and
// when n is a power of two every zone of log2(n) bits holds one. A measurement
// that listens at many places of the space at once starts from it (BEP 45 asks
// that IDs of one host be widely separated). n <= 0 gives none.
func Spread(seed ID, n int) []ID {
	if n <= 0 {
		return nil
	}
	space := new(big.Int).Lsh(big.NewInt(1), Bits)
	start := new(big.Int).SetBytes(seed[:])
	ids := make([]ID, n)
	for i := range ids {
		at := new(big.Int).Mul(space, big.NewInt(int64(i)))
		at.Quo(at, big.NewInt(int64(n)))
		at.Add(at, start).Mod(at, space).FillBytes(ids[i][:])
	}
	return ids
}
