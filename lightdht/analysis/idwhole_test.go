package analysis

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// exactKolmogorov is P(D < d) for n points: Durbin's matrix, of which an entry of
// the n-th power is the answer (Marsaglia, Tsang and Wang 2003).
func exactKolmogorov(n int, d float64) float64 {
	k := int(float64(n)*d) + 1
	m, h := 2*k-1, float64(k)-float64(n)*d
	a := mat.NewDense(m, m, nil)
	for i := range m {
		for j := range min(i+2, m) {
			v := 1.0
			if j == 0 {
				v -= math.Pow(h, float64(i+1))
			}
			if i == m-1 {
				v -= math.Pow(h, float64(m-j))
			}
			if i == m-1 && j == 0 {
				v = 1 - 2*math.Pow(h, float64(m)) + math.Pow(max(2*h-1, 0), float64(m))
			}
			a.Set(i, j, v*math.Exp(-logFactorial(i-j+1)))
		}
	}
	power, log := mat.NewDense(m, m, nil), 0.0
	power.CloneFrom(a)
	for range n - 1 {
		var next mat.Dense
		next.Mul(power, a)
		scale := mat.Max(&next)
		next.Scale(1/scale, &next)
		log += math.Log(scale)
		power.CloneFrom(&next)
	}
	return power.At(k-1, k-1) * math.Exp(log+logFactorial(n)-float64(n)*math.Log(float64(n)))
}

func TestKolmogorovAgainstExactLaw(t *testing.T) {
	worst := 0.0
	for _, n := range []int{20, 30, 50, 100} {
		for x := 0.35; x < 2.2; x += 0.05 {
			d := x / math.Sqrt(float64(n))
			want, got := 1-exactKolmogorov(n, d), kolmogorovTail(float64(n), d)
			worst = max(worst, math.Abs(got-want))
			if math.Abs(got-want) > 0.0006 {
				t.Errorf("%d points, D = %.4f: p = %.6f, exactly %.6f", n, d, got, want)
			}
		}
	}
	t.Logf("worst error %.2g", worst)
}

// Published critical values of D (Massey 1951, Journal of the American
// Statistical Association 46, table 1), to the two or three decimals printed.
func TestKolmogorovAgainstPublishedTable(t *testing.T) {
	for _, c := range []struct{ n, level, d float64 }{
		{20, 0.05, 0.294}, {20, 0.01, 0.356}, {20, 0.10, 0.264}, {25, 0.05, 0.27}, {30, 0.05, 0.24}, {35, 0.01, 0.27},
	} {
		if lo, hi := kolmogorovTail(c.n, c.d+0.006), kolmogorovTail(c.n, c.d-0.006); lo > c.level || hi < c.level {
			t.Errorf("%v points: p of %v is between %.4f and %.4f, want %v", c.n, c.d, lo, hi, c.level)
		}
	}
}

func TestKolmogorovByHand(t *testing.T) {
	points := make(IDPoints, 20) // at 0/64, 1/64, … 19/64 of the space
	for i := range points {
		points[i][0] = byte(4 * i)
	}
	got, err := points.Kolmogorov()
	if want := 1 - 19.0/64; err != nil || got.Statistic != want || got.P > 1e-8 || !math.IsNaN(got.DF) {
		t.Errorf("D = %+v, %v, want %v", got, err, want)
	}
	for i := range points { // in the middle of each twentieth: as even as can be
		x := (float64(i) + 0.5) / 20 * 256
		points[i][0], points[i][1] = byte(x), byte((x-math.Floor(x))*256)
	}
	if got, err = points.Kolmogorov(); err != nil || math.Abs(got.Statistic-1.0/40) > 0.001 || got.P != 1 {
		t.Errorf("of even points D = %+v, %v, want 1/40", got, err)
	}
}

func TestKolmogorovOfUniformPoints(t *testing.T) {
	for _, n := range []int{20, 100, 1000} {
		r := source(t, uint64(n))
		var ps []float64
		for range 400 {
			test, err := drawPoints(r, n).Kolmogorov()
			if err != nil {
				t.Fatal(err)
			}
			ps = append(ps, test.P)
		}
		checkUniform(t, "Kolmogorov-Smirnov", ps)
	}
}
