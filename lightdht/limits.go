package lightdht

import "time"

// Limits are a node's manners: how much it sends, how much it lets itself be
// sent, and how long a memory it keeps of both. The zero Limits are those of the
// network that the node lives in: on the public one as said below, on a private
// one none. A field below zero lifts its limit in either.
//
// "In any second" is meant as it is said: whichever second one looks at, from
// any moment on and without its end, not only those of a clock. It holds for the
// moments at which packets are due, and with 50 ms of slack; a busy system may let one
// out later than that, and with it one more into a second.
type Limits struct {
	PerAddr int // packets sent to one IP address in any second; 0: 4
	PerZone int // packets sent into one /24 of IPv4 or /48 of IPv6 in any second; 0: 32

	// Packets sent in any second in all; 0: 500. Answers take at most three
	// quarters of it, so that a flood of questions cannot silence our own.
	Total int

	// Packets taken from one IP address, for IPv6 from one /64, in 10 seconds;
	// whoever sends more is banned. 0: 200. What PerAddr lets us ask of one
	// address brings 40 answers in that time, and a busy client asks us less:
	// the rest is room for the many that share an address behind a translator.
	Inbound int
	BanFor  time.Duration // how long a ban lasts; 0: 5 min

	// Addresses that the ledger of packets has room for; 0: 1,000,000, which
	// take about 150 MB once met. Below zero, or on a private network 0, no
	// ledger is kept.
	Ledger int
}

// The public network's limits.
const (
	defaultPerAddr = 4
	defaultPerZone = 32
	defaultTotal   = 500
	defaultInbound = 200
	defaultLedger  = 1_000_000

	defaultBanFor = 5 * time.Minute // on any network
)

// withDefaults fills what is zero. After it, zero or less is no limit, and for
// Ledger no ledger.
func (l Limits) withDefaults(public bool) Limits {
	l.BanFor = or(l.BanFor, defaultBanFor)
	if !public {
		return l
	}
	for _, field := range []struct {
		value *int
		def   int
	}{
		{&l.PerAddr, defaultPerAddr},
		{&l.PerZone, defaultPerZone},
		{&l.Total, defaultTotal},
		{&l.Inbound, defaultInbound},
		{&l.Ledger, defaultLedger},
	} {
		if *field.value == 0 {
			*field.value = field.def
		}
	}
	return l
}
