package main

import "github.com/urfave/cli/v2"

func statsSizeCommand() *cli.Command {
	return &cli.Command{Name: "size", Flags: statsFlags(), Action: func(c *cli.Context) error { return nil }}
}
