package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// row is a line of lightdht's data: values by column, "" for an absent one.
type row map[string]string

func (r row) addr() string { return net.JoinHostPort(r["ip"], r["port"]) }

// readCSV reads data that begins with the names of its columns.
func readCSV(text string) ([]row, error) {
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return nil, errors.New("csv without a header")
	}
	var rows []row
	for _, record := range records[1:] {
		r := row{}
		for i, column := range records[0] {
			r[column] = record[i]
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// readNDJSON reads an object from each line, numbers in the digits they are
// written with.
func readNDJSON(text string) ([]row, error) {
	lines := json.NewDecoder(strings.NewReader(text))
	lines.UseNumber()
	var rows []row
	for {
		var values map[string]any
		if err := lines.Decode(&values); err == io.EOF {
			return rows, nil
		} else if err != nil {
			return nil, err
		}
		r := row{}
		for column, value := range values {
			if r[column] = ""; value != nil {
				r[column] = fmt.Sprint(value)
			}
		}
		rows = append(rows, r)
	}
}
