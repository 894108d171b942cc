package pseudonym

import (
	"crypto/aes"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

func randomID(r *rand.Rand) (id kad.ID) {
	randomBytes(r, id[:])
	return id
}

// slowTree decides each bit of an ID for itself, from the comment of tree.
func slowTree(key [secretSize]byte, id kad.ID) (stand kad.ID) {
	block, _ := aes.NewCipher(key[:16])
	for bit := range kad.Bits {
		i := bit - bit%7 // where its tree begins
		var message, out [16]byte
		from := 0
		if i > 120 {
			copy(message[:], id[:15])
			message[15] = 0xff
			block.Encrypt(out[:], message[:])
			message, from = out, 120
		}
		for j := from; j < i; j++ {
			message[(j-from)/8] ^= byte(id.Bit(j) << (7 - j%8))
		}
		message[15] ^= byte(i)
		block.Encrypt(out[:], message[:])
		path := "1"
		for j := i; j < bit; j++ {
			path += strconv.Itoa(id.Bit(j))
		}
		node, _ := strconv.ParseUint(path, 2, 7)
		flip := out[node/8] >> (node % 8) & 1
		stand[bit/8] |= (byte(id.Bit(bit)) ^ flip) << (7 - bit%8)
	}
	return stand
}

func TestIDIsItsSlowTwin(t *testing.T) {
	r := source(t, 1)
	key := testKey(t, 1)
	for range 1000 {
		id := randomID(r)
		if got, want := key.ID(id), slowTree(derive(testSecret(1), "IDs"), id); got != want {
			t.Fatalf("%v is\n%v, want\n%v", id, got, want)
		}
	}
}

func TestIDKeepsPrefixes(t *testing.T) {
	r := source(t, 2)
	for n := byte(1); n <= 10; n++ {
		key := testKey(t, n)
		for length := range kad.Bits + 1 {
			a := randomID(r)
			b := kad.ID(parted(r, a[:], length))
			if got := kad.CommonPrefixLen(key.ID(a), key.ID(b)); got != length {
				t.Fatalf("%v and %v share %d bits, their stand-ins %d", a, b, length, got)
			}
		}
	}
}

// All values of 16 bits have different stand-ins, wherever in an ID they are: at
// its begin, and where a second block comes in.
func TestIDIsAPermutation(t *testing.T) {
	r := source(t, 3)
	key := testKey(t, 1)
	for _, at := range []int{0, 15} {
		id := randomID(r)
		var seen [1 << 16]bool
		for i := range seen {
			id[at], id[at+1] = byte(i>>8), byte(i)
			stand := key.ID(id)
			seen[int(stand[at])<<8|int(stand[at+1])] = true
		}
		for i := range seen {
			if !seen[i] {
				t.Fatalf("nothing has %04x in byte %d for a stand-in", i, at)
			}
		}
	}
}

// Each bit is flipped in half of all places of the tree, whatever its depth, and
// no two of one ID are flipped together more often than not: so no two nodes of
// the tree have the same bit of the cipher by mistake.
func TestIDFlipsAreFair(t *testing.T) {
	r := source(t, 4)
	const rounds = 4000
	var flipped [kad.Bits]int
	var together [kad.Bits][kad.Bits]int
	for range rounds {
		id := randomID(r)
		flips := newTree([secretSize]byte(randomSecret(r))).flips(&id, kad.Bits)
		for i := range kad.Bits {
			flipped[i] += flips.Bit(i)
			for j := range i {
				together[i][j] += 1 - flips.Bit(i) ^ flips.Bit(j)
			}
		}
	}
	const bound = 190 // six standard deviations of 32 and less than one chance in 10^4 for 12880 counts
	for i := range kad.Bits {
		if off := flipped[i] - rounds/2; off < -bound || off > bound {
			t.Errorf("bit %d is flipped %d times of %d", i, flipped[i], rounds)
		}
		for j := range i {
			if off := together[i][j] - rounds/2; off < -bound || off > bound {
				t.Errorf("bits %d and %d are flipped together %d times of %d", i, j, together[i][j], rounds)
			}
		}
	}
}

func randomSecret(r *rand.Rand) []byte {
	secret := make([]byte, secretSize)
	randomBytes(r, secret)
	return secret
}
