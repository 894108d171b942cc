package lightdht

import (
	"net/netip"
	"sync"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// vain counts the strangers that were asked and have not answered, by
// neighbourhood (/24, /64). Node lists can be full of somebody who has no part in
// this network, under ever new IDs and ports: within vainFor, vainTries packets
// is what he gets from us, whoever names him how often. It has no clock.
//
// At most vainZones neighbourhoods are counted; beyond it the one counted for
// longest is forgotten. The zero vain is ready.
type vain struct {
	mu    sync.Mutex
	zones map[netip.Prefix]vainZone
	order []netip.Prefix // of zones, from first on, as they were first counted
	first int
}

// vainZone is what is known of a neighbourhood.
type vainZone struct {
	asked int       // strangers that have not answered
	since time.Time // when the first of them was asked
}

const (
	vainTries = 8
	vainFor   = 5 * time.Minute
	vainZones = 1 << 14
)

// ask notes that a stranger is asked; false: he is not to be asked.
func (v *vain) ask(now time.Time, addr netip.Addr) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.forget(now)
	zone := vicinity(addr)
	z, known := v.zones[zone]
	switch {
	case z.asked >= vainTries:
		return false
	case !known:
		z.since = now
		v.count(zone)
	}
	z.asked++
	v.zones[zone] = z
	return true
}

// full reports whether no stranger there is to be asked.
func (v *vain) full(now time.Time, addr netip.Addr) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	z := v.zones[vicinity(addr)]
	return z.asked >= vainTries && now.Sub(z.since) < vainFor
}

// answered notes that a stranger who was asked did answer.
func (v *vain) answered(addr netip.Addr) {
	v.mu.Lock()
	defer v.mu.Unlock()
	zone := vicinity(addr)
	if z := v.zones[zone]; z.asked > 0 {
		z.asked--
		v.zones[zone] = z
	}
}

// count makes room for one more neighbourhood.
func (v *vain) count(zone netip.Prefix) {
	if v.zones == nil {
		v.zones = map[netip.Prefix]vainZone{}
	}
	if len(v.zones) >= vainZones {
		v.drop()
	}
	v.order = append(v.order, zone)
}

// forget forgets what is over.
func (v *vain) forget(now time.Time) {
	for v.first < len(v.order) && now.Sub(v.zones[v.order[v.first]].since) >= vainFor {
		v.drop()
	}
}

// drop forgets the neighbourhood that was counted first.
func (v *vain) drop() {
	delete(v.zones, v.order[v.first])
	v.first++
	if left := len(v.order) - v.first; left <= v.first { // moved no oftener than as many have gone
		v.order, v.first = v.order[:copy(v.order, v.order[v.first:])], 0
	}
}

// try reports whether c may be sent to somebody that others named, or that asked
// us something: he has answered before, or he is a stranger and not too many of
// his neighbourhood were asked in vain. On a private network everybody may.
func (n *Node) try(c *call) bool {
	if n.private || n.answeredOnce(c) {
		return true
	}
	c.stranger = n.vain.ask(time.Now(), c.to.Addr.Addr())
	return c.stranger
}

// answeredOnce reports whether the one to whom c goes has ever answered.
func (n *Node) answeredOnce(c *call) bool {
	t := n.Table(kad.FamilyOf(c.to.Addr.Addr()))
	if t == nil {
		return false
	}
	known, ok := t.Get(c.to)
	return ok && known.Replies > 0
}

// inVain reports whether a contact is a stranger whom it is no use to ask now.
func (n *Node) inVain(c table.Contact, now time.Time) bool {
	return !n.private && c.Replies == 0 && n.vain.full(now, c.Addr.Addr())
}
