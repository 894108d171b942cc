package analysis

import (
	"slices"
	"strings"
)

// extensions is a set of BEP numbers, whose names extensionNames has.
type extensions uint16

// extensionNames number the extensions in the order in which they come. There is room
// for fifteen; what comes after them is Other.
type extensionNames struct {
	names []string
	sets  map[string]extensions // of the texts seen
}

// of reads a set as it is written: "32 42".
func (e *extensionNames) of(text string) extensions {
	if text == "" {
		return 0
	}
	set, ok := e.sets[text]
	if !ok {
		for name := range strings.FieldsSeq(text) {
			set |= 1 << e.number(name)
		}
		e.sets[strings.Clone(text)] = set
	}
	return set
}

func (e *extensionNames) number(name string) int {
	i := slices.Index(e.names, name)
	if i < 0 {
		if i = len(e.names); i > 14 {
			return 15
		}
		e.names = append(e.names, strings.Clone(name))
	}
	return i
}

// name returns the name of a number.
func (e *extensionNames) name(i int) string {
	if i < len(e.names) {
		return "BEP " + e.names[i]
	}
	return Other
}
