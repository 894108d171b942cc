package main

import "github.com/urfave/cli/v2"

func statsIDsCommand() *cli.Command {
	return &cli.Command{
		Name:      "ids",
		Usage:     "to be said",
		ArgsUsage: "[FILE]",
		Flags:     append(append(statsFlags(), filterFlags()...), mmdbFlag()),
		Action:    func(c *cli.Context) error { return nil },
	}
}
