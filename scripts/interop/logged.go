package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// logged counts rows of the query log.
type logged struct {
	rows uint64
	by   map[asking]uint64
}

// asking is who asked what.
type asking struct {
	id     kad.ID
	addr   netip.AddrPort
	method string
}

// add adds the rows of a file, which begins with the names of its columns.
func (l *logged) add(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	text := bufio.NewScanner(file)
	if !text.Scan() {
		return fmt.Errorf("query log without a header: %w", errors.Join(text.Err(), io.ErrUnexpectedEOF))
	}
	header := strings.Split(text.Text(), ",")
	for text.Scan() {
		fields := strings.Split(text.Text(), ",")
		if len(fields) != len(header) {
			return fmt.Errorf("a row of the query log: %q", text.Text())
		}
		r := row{}
		for i, column := range header {
			r[column] = fields[i]
		}
		if err := l.addRow(r); err != nil {
			return fmt.Errorf("%w in a row of the query log: %q", err, text.Text())
		}
	}
	return text.Err()
}

func (l *logged) addRow(r row) error {
	id, err := kad.ParseID(r["querier_id"])
	if err != nil {
		return err
	}
	addr, err := netip.ParseAddrPort(r.addr())
	if err != nil {
		return err
	}
	l.rows++
	l.by[asking{id, addr, r["method"]}]++
	return nil
}
