package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// pace is how far something is and how fast it goes. It has no clock: it is told
// the time.
type pace struct {
	began time.Time
	total int64  // rows there are; 0: not known
	noun  string // what a row is called; "": a row

	rows int64
	at   time.Time // when there were so many; zero: not yet
	rate float64   // rows a second, of late
}

// paceMemory is the time after which two thirds of what the rate is made of are
// newer.
const paceMemory = 10 * time.Second

// read takes how many rows there are now.
func (p *pace) read(now time.Time, rows int64) {
	first, since := p.at.IsZero(), p.at
	if first {
		since = p.began
	}
	if took := now.Sub(since); took > 0 {
		share := 1.0
		if !first {
			share = 1 - math.Exp(-took.Seconds()/paceMemory.Seconds())
		}
		p.rate += share * (float64(rows-p.rows)/took.Seconds() - p.rate)
	}
	p.rows, p.at = rows, now
}

// String says rows, rate and time left; of what has no rows for how long it has
// been going on.
func (p pace) String() string {
	if p.rows == 0 {
		return roughly(p.at.Sub(p.began))
	}
	noun := orText(p.noun, "row")
	if p.rows != 1 {
		noun += "s"
	}
	s := fmt.Sprintf("%s %s, %s/s", grouped(p.rows), noun, prefixed(p.rate))
	if left := float64(p.total - p.rows); left > 0 && p.rate > 0 {
		s += ", " + roughly(time.Duration(min(left/p.rate, 1e9)*float64(time.Second))) + " left"
	}
	return s
}

// grouped writes a number with commas between thousands.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 && digits[i-1] != '-' {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// prefixed writes a number with two or three digits: 950, 14 k, 1.4 M.
func prefixed(v float64) string {
	for _, p := range []struct {
		of   float64
		name string
	}{{1e9, " G"}, {1e6, " M"}, {1e3, " k"}, {1, ""}} {
		switch scaled := v / p.of; {
		case scaled >= 9.95 || p.of == 1 && scaled >= 0.95:
			return fmt.Sprintf("%.0f%s", scaled, p.name)
		case scaled >= 0.9995:
			return fmt.Sprintf("%.1f%s", scaled, p.name)
		}
	}
	return fmt.Sprintf("%.1f", v)
}

// roughly writes a time in its two largest units.
func roughly(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	case s < 3600:
		return fmt.Sprintf("%d min", (s+30)/60)
	}
	return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
}
