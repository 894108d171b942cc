package kad

import (
	"math"
	"math/big"
	"testing"
)

// The twin of everything metric: IDs as big integers.
func TestMetricAgainstBigIntegers(t *testing.T) {
	r := source(t)
	for range 20000 {
		target := randomID(r)
		a := near(r, target)
		b := near(r, a)
		da := new(big.Int).Xor(number(target), number(a))
		db := new(big.Int).Xor(number(target), number(b))
		if got := number(target.Distance(a)); got.Cmp(da) != 0 {
			t.Fatalf("distance of %v and %v is %x, not %x", target, a, got, da)
		}
		if got, want := a.Compare(b), number(a).Cmp(number(b)); got != want {
			t.Fatalf("%v.Compare(%v) = %d, want %d", a, b, got, want)
		}
		if got, want := target.Distance(a).Compare(target.Distance(b)), da.Cmp(db); got != want {
			t.Fatalf("distances from %v to %v and %v compare as %d, want %d", target, a, b, got, want)
		}
		if got, want := target.CompareDistance(a, b), da.Cmp(db); got != want {
			t.Fatalf("%v.CompareDistance(%v, %v) = %d, want %d", target, a, b, got, want)
		}
		if got, want := target.Closer(a, b), da.Cmp(db) < 0; got != want {
			t.Fatalf("%v.Closer(%v, %v) = %v", target, a, b, got)
		}
		if got, want := CommonPrefixLen(a, b), Bits-new(big.Int).Xor(number(a), number(b)).BitLen(); got != want {
			t.Fatalf("CommonPrefixLen(%v, %v) = %d, want %d", a, b, got, want)
		}
	}
}

// The other twin: bit by bit, as the definition reads.
func TestMetricAgainstSingleBits(t *testing.T) {
	slowOrder := func(target, a, b ID) int {
		for i := range Bits {
			if a.Bit(i) != b.Bit(i) {
				if a.Bit(i) == target.Bit(i) {
					return -1
				}
				return +1
			}
		}
		return 0
	}
	slowCommon := func(a, b ID) int {
		n := 0
		for n < Bits && a.Bit(n) == b.Bit(n) {
			n++
		}
		return n
	}
	r := source(t)
	for i := range Bits { // a and b that differ in one bit alone
		target, a := randomID(r), randomID(r)
		b := a
		b[i/8] ^= 0x80 >> (i % 8)
		if got, want := target.CompareDistance(a, b), slowOrder(target, a, b); got != want {
			t.Fatalf("%v.CompareDistance(%v, %v) = %d, want %d", target, a, b, got, want)
		}
		if got := CommonPrefixLen(a, b); got != i || slowCommon(a, b) != i {
			t.Fatalf("CommonPrefixLen(%v, %v) = %d, want %d", a, b, got, i)
		}
	}
	for range 5000 {
		target := randomID(r)
		a := near(r, target)
		b := near(r, a)
		if got, want := target.CompareDistance(a, b), slowOrder(target, a, b); got != want {
			t.Fatalf("%v.CompareDistance(%v, %v) = %d, want %d", target, a, b, got, want)
		}
	}
	if id := randomID(r); CommonPrefixLen(id, id) != Bits || id.CompareDistance(id, id) != 0 {
		t.Error("an ID is not equal to itself")
	}
}

func TestFraction(t *testing.T) {
	space := new(big.Float).SetInt(new(big.Int).Lsh(big.NewInt(1), Bits))
	r := source(t)
	for range 20000 {
		target := randomID(r)
		d := target.Distance(near(r, target))
		want, _ := new(big.Float).Quo(new(big.Float).SetInt(number(d)), space).Float64()
		if got := d.Fraction(); math.Abs(got-want) > math.Nextafter(want, 2)-want {
			t.Fatalf("Fraction of %v = %g, want %g", d, got, want)
		}
	}
	for _, c := range []struct {
		d    Distance
		want float64
	}{
		{Distance{}, 0},
		{Distance(middle), 0.5},
		{Distance{Size - 1: 1}, 0x1p-160},
		{Distance{7: 1, 15: 1}, 0x1p-64 + 0x1p-128},
		{Distance(highest), 1},
	} {
		if got := c.d.Fraction(); got != c.want {
			t.Errorf("Fraction of %v = %g, want %g", c.d, got, c.want)
		}
	}
}

func TestDistanceString(t *testing.T) {
	if got := (ID{}).Distance(MustParseID(digits)).String(); got != digits {
		t.Errorf("distance from zero = %s, want %s", got, digits)
	}
}

func TestMetricAllocatesNothing(t *testing.T) {
	r := source(t)
	target, a, b := randomID(r), randomID(r), randomID(r)
	zone := target.Prefix(13)
	var order int
	var inside bool
	for name, f := range map[string]func(){
		"Distance":        func() { order += target.Distance(a).LeadingZeros() },
		"CompareDistance": func() { order += target.CompareDistance(a, b) },
		"Prefix.Contains": func() { inside = zone.Contains(a) != inside },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func BenchmarkCompareDistance(b *testing.B) {
	r := source(b)
	target := randomID(r)
	for _, c := range []struct {
		name   string
		shared int
	}{{"first-word", 0}, {"second-word", 64}, {"last-word", 128}} {
		x := randomID(r)
		y := x.Prefix(c.shared).Fill(randomID(r))
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				target.CompareDistance(x, y)
			}
		})
	}
}
