package analysis

import (
	"fmt"
	"net/netip"
	"strconv"
)

// name returns the name of a class.
func (t *tallies) name(section int, key uint32) string {
	if key == 0 {
		if section == inExtensions {
			return NoneSeen
		}
		return Unknown
	}
	switch section {
	case inStates:
		return t.states.values[key]
	case inFamilies:
		return familyNames[key]
	case inClients:
		return t.clients.values[key]
	case inVersions:
		return t.versions.values[key]
	case inPorts:
		return strconv.Itoa(int(key))
	case inPortRanges:
		return portRanges[key]
	case inExtensions:
		return t.extensions.name(int(key - 1))
	case inCountries:
		return t.countries.values[key]
	case inSystems:
		return t.systemName(key)
	}
	return netName(section, key)
}

// systemName returns the number of an autonomous system, and whose it is.
func (d *dictionary) systemName(key uint32) string {
	name := fmt.Sprint("AS", d.systems.values[key])
	if org := d.orgs[key]; org != "" {
		name += " " + org
	}
	return name
}

// netName returns the prefix that a key stands for.
func netName(section int, key uint32) string {
	switch section {
	case inNets8:
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(key - 1)}), 8).String()
	case inNets16:
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte((key - 1) >> 8), byte(key - 1)}), 16).String()
	}
	return netip.PrefixFrom(netip.AddrFrom16([16]byte{byte(key >> 24), byte(key >> 16), byte(key >> 8), byte(key)}), 32).String()
}
