package lightdht

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
)

// OptOut is a set of networks whose owners want no packets from us. It never
// changes once made. A nil OptOut has nobody in it.
type OptOut struct {
	ranges []addrRange // in order, with addresses between them
}

// addrRange is the addresses from first to last, of one family.
type addrRange struct{ first, last netip.Addr }

// NewOptOut makes a set of networks, which may overlap. Bits beyond a network's
// length do not count; an IPv4-mapped one is taken as IPv4, an invalid one is
// left out.
func NewOptOut(networks ...netip.Prefix) *OptOut {
	var all []addrRange
	for _, p := range networks {
		if p = unmapped(p).Masked(); p.IsValid() {
			all = append(all, addrRange{p.Addr(), lastOf(p)})
		}
	}
	slices.SortFunc(all, func(a, b addrRange) int { return a.first.Compare(b.first) })
	return &OptOut{merged(all)}
}

// unmapped returns a network within ::ffff:0:0/96 as the IPv4 one it stands for.
func unmapped(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}

// lastOf returns the last address of a network.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := range b {
		b[i] |= byte(0xff >> min(8, max(0, p.Bits()-8*i)))
	}
	last, _ := netip.AddrFromSlice(b)
	return last
}

// merged joins ranges that overlap or touch. They are in order of their first.
func merged(all []addrRange) []addrRange {
	var out []addrRange
	for _, r := range all {
		n := len(out) - 1
		if n < 0 || out[n].last.Less(r.first) && out[n].last.Next() != r.first {
			out = append(out, r)
		} else if out[n].last.Less(r.last) {
			out[n].last = r.last
		}
	}
	return slices.Clip(out)
}

// Has reports whether addr is in one of the networks.
func (o *OptOut) Has(addr netip.Addr) bool {
	if o == nil || !addr.IsValid() {
		return false
	}
	addr = addr.Unmap().WithZone("")
	i, found := slices.BinarySearchFunc(o.ranges, addr, func(r addrRange, a netip.Addr) int { return r.first.Compare(a) })
	return found || i > 0 && !o.ranges[i-1].last.Less(addr)
}

// Len returns how many separate ranges of addresses the networks make up:
// those that overlap or touch count as one.
func (o *OptOut) Len() int {
	if o == nil {
		return 0
	}
	return len(o.ranges)
}

// ParseOptOut reads a set of networks: on each line an address or a network
// (192.0.2.7, 192.0.2.0/24, 2001:db8::/32), or nothing; # begins a comment. An
// error names the line, and no set is returned: what was meant is to be obeyed
// in full.
func ParseOptOut(r io.Reader) (*OptOut, error) {
	var networks []netip.Prefix
	lines, number := bufio.NewScanner(r), 0
	for lines.Scan() {
		number++
		text := lines.Text()
		if number == 1 {
			text = strings.TrimPrefix(text, "\ufeff") // as some editors begin a file
		}
		text, _, _ = strings.Cut(text, "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		p, err := parseNetwork(text)
		if err != nil {
			return nil, fmt.Errorf("opt-out list, line %d: %w", number, err)
		}
		networks = append(networks, p)
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, fmt.Errorf("opt-out list, line %d: too long: write one address or network on a line", number+1)
	} else if err != nil {
		return nil, fmt.Errorf("opt-out list, after line %d: %w", number, err)
	}
	return NewOptOut(networks...), nil
}

// parseNetwork reads an address or a network.
func parseNetwork(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p, nil
	}
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	if len(s) > 50 {
		s = s[:50] + "…"
	}
	return netip.Prefix{}, fmt.Errorf("%q is neither an address nor a network: write it like 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32, or remove it", s)
}
