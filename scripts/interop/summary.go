package main

import (
	"fmt"
	"strconv"
	"strings"
)

// summary is what the node says at its end.
type summary struct {
	contacts, good      int
	queries             uint64 // received
	rows, skipped, lost uint64 // of the query log
	counters            map[string]uint64
}

// readSummary reads what the node wrote at its end.
func readSummary(lines []string) (s summary, err error) {
	s.counters = map[string]uint64{}
	missing := map[string]bool{"contacts": true, "queries received": true, "query log": true, "counters": true, "dropped by the kernel": true}
	for _, line := range lines {
		what, rest, _ := strings.Cut(line, ":")
		if !missing[what] {
			continue
		}
		delete(missing, what)
		switch what {
		case "contacts":
			_, err = fmt.Sscanf(rest, " %d (%d good", &s.contacts, &s.good)
		case "queries received":
			_, err = fmt.Sscan(rest, &s.queries)
		case "query log":
			_, err = fmt.Sscanf(rest, " %d rows written, %d skipped because the disk was slow, %d lost", &s.rows, &s.skipped, &s.lost)
		case "counters":
			err = s.readCounters(strings.Fields(rest))
		}
		if err != nil {
			return s, fmt.Errorf("%w: %s", err, line)
		}
	}
	if len(missing) > 0 {
		return s, fmt.Errorf("the node did not say %v", missing)
	}
	return s, nil
}

// readCounters reads names and values that follow each other.
func (s *summary) readCounters(words []string) (err error) {
	for i := 0; i+1 < len(words) && err == nil; i += 2 {
		s.counters[words[i]], err = strconv.ParseUint(words[i+1], 10, 64)
	}
	return err
}
