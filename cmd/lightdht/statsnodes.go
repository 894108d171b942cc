package main

import "github.com/urfave/cli/v2"

func statsNodesCommand() *cli.Command {
	return &cli.Command{
		Name:      "nodes",
		Usage:     "to be said",
		ArgsUsage: "[FILE]",
		Flags:     append(append(statsFlags(), filterFlags()...), mmdbFlag()),
		Action:    func(c *cli.Context) error { return nil },
	}
}
