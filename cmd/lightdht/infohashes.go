package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/urfave/cli/v2"
)

// maxLine is the longest line read from stdin: magnet links can be long.
const maxLine = 64 << 10

// parser reads one ID.
type parser func(string) (kad.ID, error)

// infohashes reads a command's arguments; "-" stands for the lines of stdin,
// where empty lines and those that begin with # are passed over.
func infohashes(c *cli.Context, parse parser) ([]kad.ID, error) {
	if c.NArg() == 0 {
		return nil, usagef("name an infohash, or - to read them from stdin: see lightdht %s --help", c.Command.Name)
	}
	var ids []kad.ID
	for _, arg := range c.Args().Slice() {
		if arg == "-" {
			more, err := readInfohashes(c.Context, c.App.Reader, parse)
			if err != nil {
				return nil, err
			}
			ids = append(ids, more...)
			continue
		}
		id, err := parse(arg)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// readInfohashes reads r to its end. It does not wait for it beyond the end of
// ctx: a terminal may say nothing for long.
func readInfohashes(ctx context.Context, r io.Reader, parse parser) ([]kad.ID, error) {
	type result struct {
		ids []kad.ID
		err error
	}
	end := make(chan result, 1)
	go func() {
		ids, err := scanInfohashes(r, parse)
		end <- result{ids, err}
	}()
	select {
	case got := <-end:
		return got.ids, got.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func scanInfohashes(r io.Reader, parse parser) ([]kad.ID, error) {
	var ids []kad.ID
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	n := 1
	for ; lines.Scan(); n++ {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, err := parse(line)
		if err != nil {
			return nil, fmt.Errorf("stdin, line %d: %w", n, err)
		}
		ids = append(ids, id)
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, fmt.Errorf("stdin, line %d: longer than %d bytes: give one on each line", n, maxLine)
	} else if err != nil {
		return nil, fmt.Errorf("stdin: %w", err)
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("stdin held nothing: give one on each line")
	}
	return ids, nil
}
