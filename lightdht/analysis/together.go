package analysis

import "fmt"

// together is over how many classes intervals are to hold together, with 95 %: those
// that are shown because they are the largest were picked by what was drawn, and the
// interval of the largest of many by itself holds its share less often, down to
// never. By Bonferroni's inequality each of K gets the level 1 - 0.05/K, and then,
// whichever are picked, all hold at once at least as often as 95 % (Miller,
// Simultaneous statistical inference, 1981, section 1.3). 0 and 1: each by itself.
type together int

// level is the level of each.
func (k together) level() float64 { return 1 - (1-censusLevel)/float64(max(k, 1)) }

// mark says so of an interval that was made with that level.
func (k together) mark(i Interval) Interval {
	if k > 1 && i.Level > 0 {
		i.Level = censusLevel
		i.Method += fmt.Sprintf(", simultaneous over %d classes", int(k))
	}
	return i
}

// ofRatio returns a share of clusters.
func (k together) ofRatio(r *Ratio) Share {
	s := r.Share(k.level())
	s.Interval = k.mark(s.Interval)
	return s
}

// ofHits returns a share with its interval; of none its Value is NaN, and it has
// none.
func (k together) ofHits(hits, n int) Share {
	s := Share{Number: none(), Count: float64(hits), Of: float64(n)}
	if s.Samples = n; n > 0 {
		s.Value, s.Interval = float64(hits)/float64(n), k.mark(ClopperPearson(hits, n, k.level()))
	}
	return s
}

// classesThereAre returns how many classes there are at the least, of which those
// counted were seen: for one that was not might as well have been picked. With f1
// that were seen once and f2 twice it is
//
//	seen + f1 (f1-1) / (2 (f2+1)),
//
// exact when all are of one size (Chao, Nonparametric estimation of the number of
// classes in a population, Scand. J. Statist. 11, 1984, bias-corrected), and at most
// `most`, when that is known.
func classesThereAre(counts []int, most int) together {
	seen, once, twice := 0, 0, 0
	for _, n := range counts {
		switch n {
		case 0:
			continue
		case 1:
			once++
		case 2:
			twice++
		}
		seen++
	}
	k := seen + (once*(once-1)+2*twice+1)/(2*(twice+1))
	if most > 0 {
		k = min(k, max(most, seen))
	}
	return together(k)
}
