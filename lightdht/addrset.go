package lightdht

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
)

// addrSet is a small set of addresses that is read far more often than it grows.
type addrSet struct {
	mu  sync.Mutex
	all atomic.Pointer[[]netip.AddrPort]
}

func (s *addrSet) add(addrs ...netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []netip.AddrPort
	if old := s.all.Load(); old != nil {
		all = slices.Clone(*old)
	}
	for _, addr := range addrs {
		if !slices.Contains(all, addr) {
			all = append(all, addr)
		}
	}
	s.all.Store(&all)
}

func (s *addrSet) has(addr netip.AddrPort) bool {
	all := s.all.Load()
	return all != nil && slices.Contains(*all, addr)
}

func (s *addrSet) len() int {
	if all := s.all.Load(); all != nil {
		return len(*all)
	}
	return 0
}
