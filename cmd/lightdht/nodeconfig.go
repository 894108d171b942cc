package main

import (
	"log/slog"
	"os"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
	"github.com/urfave/cli/v2"
)

// config reads the common flags.
func config(c *cli.Context) (lightdht.Config, error) {
	cfg := lightdht.Config{
		Bootstrap: c.StringSlice("bootstrap"),
		ReadOnly:  c.Bool("read-only"),
		Timeout:   c.Duration("timeout"),

		SecureOnly: c.Bool("secure-only"),
		Upkeep:     lightdht.UpkeepConfig{Off: true}, // a command does what it was asked to; only node is a member for long
	}
	if listen := c.String("listen"); listen != "" {
		if _, _, err := splitPlace(listen, 0); err != nil {
			return cfg, usagef("--listen %w", err)
		}
	}
	for _, place := range cfg.Bootstrap {
		if _, _, err := splitPlace(place, 1); err != nil {
			return cfg, usagef("--bootstrap %w", err)
		}
	}
	if cfg.Timeout < time.Millisecond {
		return cfg, usagef("--timeout %s: want at least 1ms, such as 5s", cfg.Timeout)
	}
	if _, err := table.New(orText(c.String("table"), "nothing")); err != nil {
		return cfg, usagef("--table: %w", err)
	}
	cfg.NewTable = func() table.Table { t, _ := table.New(c.String("table")); return t }
	var err error
	if cfg.Network, _, err = parseNetwork(c.String("network")); err != nil {
		return cfg, err
	}
	if cfg.OptOut, err = optOut(c); err != nil {
		return cfg, err
	}
	cfg.Logger, err = logger(c)
	return cfg, err
}

// parseOwnID reads an ID of ours.
func parseOwnID(s string) (id kad.ID, err error) {
	if err := id.UnmarshalText([]byte(s)); err != nil {
		return id, usagef("--id: %w", err)
	}
	if id.IsZero() {
		return id, usagef("--id: zero stands for a random one: leave --id out")
	}
	return id, nil
}

// optOut reads the file of --opt-out; nil without one.
func optOut(c *cli.Context) (*lightdht.OptOut, error) {
	name := c.String("opt-out")
	switch {
	case !c.IsSet("opt-out"):
		return nil, nil
	case name == "": // an unset variable, say, must not mean nobody
		return nil, usagef("--opt-out: want the name of a file")
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, usagef("--opt-out: %w", err)
	}
	defer file.Close()
	set, err := lightdht.ParseOptOut(file)
	if err != nil {
		return nil, usagef("--opt-out %s: %w", name, err)
	}
	return set, nil
}

// logger writes to stderr what is at least as grave as --log-level.
func logger(c *cli.Context) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.String("log-level"))); err != nil {
		return nil, usagef("--log-level %q: want debug, info, warn or error", c.String("log-level"))
	}
	return slog.New(slog.NewTextHandler(c.App.ErrWriter, &slog.HandlerOptions{Level: level})), nil
}
