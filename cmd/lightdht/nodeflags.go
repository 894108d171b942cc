package main

import (
	"slices"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/urfave/cli/v2"
)

// nodeFlags are the flags of the node command: the common ones, but for the ID,
// and its own.
func nodeFlags() []cli.Flag {
	common := slices.DeleteFunc(commonFlags(), func(f cli.Flag) bool { return f.Names()[0] == "id" })
	return append(common,
		&cli.StringSliceFlag{Name: "id", Usage: "an ID of ours, 40 `HEX` digits (repeatable)", DefaultText: "that of the last run, else random; it follows our address"},
		&cli.IntFlag{Name: "ids", Usage: "have `N` IDs, evenly spread from --id, from --seed, or from that of the last run"},
		&cli.DurationFlag{Name: "for", Usage: "how long to run", DefaultText: "until Ctrl-C"},
		&cli.DurationFlag{Name: "status", Usage: "how often to tell how it goes; 0: never", DefaultText: "1s on a terminal, else 10s"},

		&cli.StringFlag{Name: "log-queries", Usage: "append every query received to `FILE`, as CSV; -: stdout"},
		&cli.StringFlag{Name: "ledger", Usage: "write what was exchanged with each address to `FILE`, as CSV, at the end; not to stdout"},

		&cli.BoolFlag{Name: "passive", Usage: "do not look around: answer, log and keep our place"},
		&cli.DurationFlag{Name: "self-lookup", Usage: "time between two lookups of our own ID", DefaultText: "3m; 15m when passive"},
		&cli.IntFlag{Name: "discoveries", Usage: "look around `N` times between two of these", DefaultText: "10"},

		limitFlag("limit-addr", "send at most `N` packets a second to one IP address", "4"),
		limitFlag("limit-zone", "send at most `N` packets a second into one /24 of IPv4 or /48 of IPv6", "32"),
		limitFlag("limit-total", "send at most `N` packets a second", "500"),
		limitFlag("limit-inbound", "ban for 5 minutes who sends more than `N` packets in 10 seconds", "200"),
		limitFlag("max-ids-per-addr", "keep at most `N` contacts at one IP address", "256"),
		countFlag("max-contacts", "beyond `N` contacts in a family, take in only those that answer"),
	)
}

// limitFlag returns a flag for a limit: 0 is the default, -1 none.
func limitFlag(name, usage, public string) cli.Flag {
	return &cli.IntFlag{Name: name, Usage: usage + "; -1: no limit", DefaultText: public + " on the public network, else none"}
}

// readUpkeep reads what the node does on its own.
func readUpkeep(c *cli.Context, cfg *lightdht.Config) error {
	every, n := c.Duration("self-lookup"), c.Int("discoveries")
	switch {
	case c.IsSet("self-lookup") && every <= 0:
		return usagef("--self-lookup %s: want a time above zero, such as 3m", every)
	case c.IsSet("discoveries") && n < 1:
		return usagef("--discoveries %d: want 1 or more, or --passive for none", n)
	case c.IsSet("discoveries") && c.Bool("passive"):
		return usagef("--passive makes no discoveries: leave --discoveries or --passive out")
	}
	cfg.Upkeep = lightdht.UpkeepConfig{Discover: !c.Bool("passive"), SelfLookup: every, Discoveries: n}
	return nil
}

// maxIDsPerAddr is what the tables can count to.
const maxIDsPerAddr = 65535

// readLimits reads the limits.
func readLimits(c *cli.Context, cfg *lightdht.Config) error {
	for _, limit := range []struct {
		flag string
		to   *int
	}{
		{"limit-addr", &cfg.Limits.PerAddr},
		{"limit-zone", &cfg.Limits.PerZone},
		{"limit-total", &cfg.Limits.Total},
		{"limit-inbound", &cfg.Limits.Inbound},
		{"max-ids-per-addr", &cfg.MaxIDsPerAddr},
	} {
		if *limit.to = c.Int(limit.flag); *limit.to < -1 {
			return usagef("--%s %d: want 1 or more, 0 for the default, or -1 for no limit", limit.flag, *limit.to)
		}
	}
	if cfg.MaxIDsPerAddr > maxIDsPerAddr {
		return usagef("--max-ids-per-addr %d: want at most %d, or -1 for no limit", cfg.MaxIDsPerAddr, maxIDsPerAddr)
	}
	cfg.MaxContacts = countOf(c, "max-contacts")
	if c.String("ledger") != "" {
		cfg.Limits.Ledger = ledgerRoom
	}
	return nil
}

// ledgerRoom is how many addresses a ledger that is asked for has room for.
const ledgerRoom = 1_000_000
