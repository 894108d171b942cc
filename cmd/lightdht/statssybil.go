package main

import "github.com/urfave/cli/v2"

func statsSybilCommand() *cli.Command {
	return &cli.Command{Name: "sybil", Flags: statsFlags(), Action: func(c *cli.Context) error { return nil }}
}
