package main

import (
	"bufio"
	"fmt"
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

// add adds the rows of a file.
func (l *logged) add(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	text := bufio.NewScanner(file)
	for first := true; text.Scan(); first = false {
		fields := strings.Split(text.Text(), ",")
		switch {
		case first && text.Text() == "time,querier_id,ip,port,method,target":
		case len(fields) != 6:
			return fmt.Errorf("a row of the query log: %q", text.Text())
		default:
			if err := l.addRow(fields); err != nil {
				return fmt.Errorf("%w in a row of the query log: %q", err, fields)
			}
		}
	}
	return text.Err()
}

func (l *logged) addRow(fields []string) error {
	id, err := kad.ParseID(fields[1])
	if err != nil {
		return err
	}
	addr, err := netip.ParseAddrPort(fields[2] + ":" + fields[3])
	if err != nil {
		return err
	}
	l.rows++
	l.by[asking{id, addr, fields[4]}]++
	return nil
}
