package export

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// slowTime is the layout that appendTime is a fast twin of.
const slowTime = "2006-01-02T15:04:05.000000Z07:00"

// checkTimes compares the two on the times that next returns, until it has none.
func checkTimes(t *testing.T, next func() (micros int64, ok bool)) {
	t.Helper()
	var got, want []byte
	for micros, ok := next(); ok; micros, ok = next() {
		want = time.UnixMicro(micros).UTC().AppendFormat(want[:0], slowTime)
		if got = appendTime(got[:0], micros); string(got) != string(want) {
			t.Fatalf("%d: got %s, want %s", micros, got, want)
		}
	}
}

// Every day of an era of 400 years, after which the calendar repeats, and every
// eleventh of all years from 0 to 9999, at any microsecond.
func TestTimeOfManyDays(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, c := range []struct{ from, to, step int64 }{{-200 * 365 * day, 201 * 366 * day, day}, {minTime, maxTime, 11 * day}} {
		at := c.from - c.step
		checkTimes(t, func() (int64, bool) {
			at += c.step
			return min(at+r.Int64N(day), maxTime), at < c.to
		})
	}
}

// The first and the last microsecond of every month.
func TestTimeOfEveryMonth(t *testing.T) {
	month := time.UnixMicro(minTime).UTC()
	last := true
	checkTimes(t, func() (int64, bool) {
		if last = !last; last {
			month = month.AddDate(0, 1, 0)
			return month.UnixMicro() - 1, true
		}
		return month.UnixMicro(), month.Year() < 10_000
	})
}

func TestTimesOfNote(t *testing.T) {
	for micros, want := range map[int64]string{
		0:           "1970-01-01T00:00:00.000000Z",
		-1:          "1969-12-31T23:59:59.999999Z",
		minTime:     "0000-01-01T00:00:00.000000Z",
		maxTime:     "9999-12-31T23:59:59.999999Z",
		1:           "1970-01-01T00:00:00.000001Z",
		951782400e6: "2000-02-29T00:00:00.000000Z",
	} {
		if got := string(appendTime([]byte("at "), micros)); got != "at "+want {
			t.Errorf("%d: got %s, want %s", micros, got, want)
		}
	}
}

// A time that RFC 3339 cannot tell is a number.
func TestTimesBeyond(t *testing.T) {
	for _, micros := range []int64{minTime - 1, maxTime + 1, math.MinInt64, math.MaxInt64} {
		if got := string(appendTime(nil, micros)); got != strconv.FormatInt(micros, 10) {
			t.Errorf("%d: %s", micros, got)
		}
	}
}

func BenchmarkTime(b *testing.B) {
	at := time.Date(2025, 3, 1, 12, 0, 0, 123456000, time.UTC)
	dst := make([]byte, 0, 64)
	b.Run("ours", func(b *testing.B) {
		for b.Loop() {
			dst = appendTime(dst[:0], at.UnixMicro())
		}
	})
	b.Run("time", func(b *testing.B) {
		for b.Loop() {
			dst = at.AppendFormat(dst[:0], slowTime)
		}
	})
}
