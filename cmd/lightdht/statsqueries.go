package main

import "github.com/urfave/cli/v2"

func statsQueriesCommand() *cli.Command {
	return &cli.Command{
		Name:      "queries",
		Usage:     "to be said",
		ArgsUsage: "[FILE]",
		Flags:     append(statsFlags(), filterFlags()...),
		Action:    func(c *cli.Context) error { return nil },
	}
}
