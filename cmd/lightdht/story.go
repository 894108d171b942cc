package main

import (
	"fmt"
	"strings"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/urfave/cli/v2"
)

// story is what the manifest of a run says about the command: its flags, and of
// its arguments, which name what somebody is after, only how many there are.
func story(c *cli.Context) dataset.Manifest {
	m := dataset.Manifest{Tool: dataset.ThisTool("lightdht", version), Command: c.Command.Name, Parameters: map[string]string{}}
	for _, name := range c.LocalFlagNames() {
		if name != "store" && name != "share" { // where a store and a key are is nobody's business
			m.Parameters[name] = flagText(c, name)
		}
	}
	if n := c.NArg(); n > 0 {
		m.Parameters["arguments"] = fmt.Sprint(n)
	}
	if c.IsSet("seed") || c.IsSet("testnet") || c.IsSet("random") {
		seed := c.Uint64("seed")
		m.Seed = &seed
	}
	return m
}

// flagText returns the value of a flag.
func flagText(c *cli.Context, name string) string {
	if list := c.StringSlice(name); list != nil {
		return strings.Join(list, ",")
	}
	return fmt.Sprint(c.Generic(name))
}

// describe fills into the manifest how the nodes are. What is told of vantages
// that share tables is their sum.
func (k *keeper) describe(m *dataset.Manifest) {
	k.mu.Lock()
	nodes := k.nodes
	k.rows = m.Rows
	k.mu.Unlock()
	if len(nodes) == 0 {
		return
	}
	k.save()
	m.Vantages, m.ClockSteps = nil, clockSteps(nodes[0])
	for _, n := range nodes {
		m.Vantages = append(m.Vantages, vantage(n))
	}
	counts := sum(nodes)
	for c := range nodes[0].Counters() {
		if c.Drops() {
			m.Drops[c.String()] = counts[c]
		} else {
			m.Counters[c.String()] = counts[c]
		}
	}
}

// vantage is a node as a manifest tells it.
func vantage(n *lightdht.Node) dataset.Vantage {
	v := dataset.Vantage{ID: n.ID(), Local: []string{}}
	for _, f := range []kad.Family{kad.IPv4, kad.IPv6} {
		if at := n.Addr(f); at.IsValid() {
			v.Local = append(v.Local, at.String())
		}
		if at := n.PublicAddr(f); at.IsValid() {
			v.External = append(v.External, at.String())
		}
	}
	return v
}

// clockSteps returns when the clock of a node was stepped.
func clockSteps(n *lightdht.Node) (steps []dataset.ClockStep) {
	for _, s := range n.ClockSteps() {
		steps = append(steps, dataset.ClockStep{At: s.At.UTC(), By: s.By.String()})
	}
	return steps
}
