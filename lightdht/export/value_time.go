package export

import "strconv"

// Times are counted in microseconds since 1970 and written as RFC 3339 has them.
// A table holds several in each row, and time.Time.AppendFormat, which can do much
// else, would be half the work of writing it.

const (
	second = 1_000_000
	day    = 86_400 * second

	// RFC 3339 ends at these, both included.
	minTime = -719_528 * day    // 0000-01-01T00:00:00.000000Z
	maxTime = 2_932_897*day - 1 // 9999-12-31T23:59:59.999999Z
	timeLen = len("2006-01-02T15:04:05.000000Z")
)

// pairs holds the numbers from 00 to 99, two digits each.
const pairs = "" +
	"00010203040506070809" + "10111213141516171819" +
	"20212223242526272829" + "30313233343536373839" +
	"40414243444546474849" + "50515253545556575859" +
	"60616263646566676869" + "70717273747576777879" +
	"80818283848586878889" + "90919293949596979899"

// hasRFC3339 reports whether RFC 3339, whose years have four digits, can tell the
// time. Those that it cannot are written as whole numbers, which the readers take
// as well.
func hasRFC3339(micros int64) bool { return micros >= minTime && micros <= maxTime }

// appendTime appends a time in RFC 3339, UTC, with microseconds.
func appendTime(dst []byte, micros int64) []byte {
	if !hasRFC3339(micros) {
		return strconv.AppendInt(dst, micros, 10)
	}
	u := uint64(micros - minTime)
	days, rest := uint32(u/day), u%day
	secs, frac := uint32(rest/second), uint32(rest%second)
	year, month, dom := civil(days)

	const blank = "0000-00-00T00:00:00.000000Z"
	dst = append(dst, blank...)
	b := dst[len(dst)-timeLen:]
	put2(b[0:], year/100)
	put2(b[2:], year%100)
	put2(b[5:], month)
	put2(b[8:], dom)
	put2(b[11:], secs/3600)
	put2(b[14:], secs/60%60)
	put2(b[17:], secs%60)
	put2(b[20:], frac/10_000)
	put2(b[22:], frac/100%100)
	put2(b[24:], frac%100)
	return dst
}

// put2 writes n < 100 as two digits.
func put2(b []byte, n uint32) {
	_ = b[1]
	b[0], b[1] = pairs[2*n], pairs[2*n+1]
}

// civil returns the date of a day counted from 0000-01-01 in the Gregorian
// calendar. It counts years from March, so that the leap day is the last of a
// year, and in eras of 400 years, which are all equally long.
func civil(days uint32) (year, month, dom uint32) {
	const era, yearsOfEra = 146_097, 400
	n := days + era - 60 // days since March 1 of the year -400
	e, ofEra := n/era, n%era
	y := (ofEra - ofEra/1_460 + ofEra/36_524 - ofEra/146_096) / 365
	ofYear := ofEra - (365*y + y/4 - y/100)
	m := (5*ofYear + 2) / 153 // 0 is March; five months have 153 days
	dom = ofYear - (153*m+2)/5 + 1
	year = e*yearsOfEra + y - yearsOfEra
	if m >= 10 {
		return year + 1, m - 9, dom
	}
	return year, m + 3, dom
}
