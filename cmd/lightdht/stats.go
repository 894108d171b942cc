package main

import "github.com/urfave/cli/v2"

func statsCommand() *cli.Command {
	return &cli.Command{
		Name:  "stats",
		Usage: "what the data says of nodes, IDs, the network's size, attacks and queries, with error bars",
		Description: "Counts and tests what the store has, or an export of it, and says how: the method, how many it rests on, the\n" +
			"interval, and what was left out. What the data cannot bear is refused, with what is missing.",
		Subcommands: []*cli.Command{
			statsNodesCommand(), statsIDsCommand(), statsSizeCommand(), statsSybilCommand(), statsQueriesCommand(),
		},
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return usagef("say what of: stats nodes, ids, size, sybil or queries: see lightdht stats --help")
			}
			return usagef("no statistics of %q: want nodes, ids, size, sybil or queries: see lightdht stats --help", c.Args().First())
		},
	}
}

// statsFlags are the flags of all statistics: where the data is, which of it
// counts, and how the outcome is written.
func statsFlags() []cli.Flag {
	return append(reportFlags(),
		storeFlag(),
		&cli.StringFlag{Name: "network", Usage: "the usual store of this `NETWORK`: public, private or private:NAME", Value: "auto", DefaultText: "public"},
	)
}

// reportFlags say how the outcome is written.
func reportFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "format", Usage: "`FORMAT`: text, markdown, csv, ndjson or json", DefaultText: "as FILE ends; text"},
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE`; -: stdout"},
	}
}

// filterFlags choose which rows count.
func filterFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "family", Usage: "only `FAMILY`: ipv4 or ipv6"},
		&cli.StringFlag{Name: "prefix", Usage: "only nodes whose ID begins with `PREFIX`: hex digits, or hex/bits"},
		&cli.StringSliceFlag{Name: "run", Usage: "only of `RUN`: an ID or the beginning of one, or last (repeatable)"},
		&cli.StringFlag{Name: "since", Usage: "only of `TIME` and later: RFC 3339, a date, or how long ago (36h)"},
	}
}

// mmdbFlag names databases of addresses.
func mmdbFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "mmdb", Usage: "look up countries and autonomous systems in the MaxMind database `FILE` (repeatable)"}
}

// onlyFile returns the one argument that statistics may have, a file; "" when
// they are of the store.
func onlyFile(c *cli.Context) (string, error) {
	switch {
	case c.NArg() > 1:
		return "", usagef("one file at a time, and not %q too: see lightdht %s--help", c.Args().Get(1), commandWord(c))
	case c.NArg() == 1 && c.IsSet("store"):
		return "", usagef("--store names a store, and %q a file: leave one out", c.Args().First())
	}
	return c.Args().First(), nil
}
