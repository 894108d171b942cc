package analysis

import "math"

// logBinomialTail returns ln P(X >= k) for X of Binomial(n, p), exact however
// small it is: the chance of 64 in one of 512 is e^-399, and which of two zones is
// the clearer one is decided far below the least float64.
//
// The tail is its first term times 1 + r1 + r1 r2 + …, where each ratio of
// neighbouring terms is (n-i)/(i+1) p/(1-p). Above the mean these fall below 1 and
// the sum is short; at the mean and below, the answer is at least ln(1/2) - 1, and
// 0, which is ln 1, is returned: nobody asks for it there.
func logBinomialTail(k, n int, p float64) float64 {
	if float64(k) <= float64(n)*p || p >= 1 {
		return 0
	}
	if k > n {
		return math.Inf(-1)
	}
	sum, term, odds := 1.0, 1.0, p/(1-p)
	for i := k; i < n && term > 1e-17*sum; i++ {
		term *= float64(n-i) / float64(i+1) * odds
		sum += term
	}
	return logBinomial(k, n, p) + math.Log(sum)
}

// logBinomial is ln P(X = k).
func logBinomial(k, n int, p float64) float64 {
	return logFactorial(n) - logFactorial(k) - logFactorial(n-k) +
		float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p)
}

func logFactorial(n int) float64 {
	v, _ := math.Lgamma(float64(n) + 1)
	return v
}
