package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// writeLedger writes the ledger, which the vantages share.
func (r *nodeRun) writeLedger() error {
	if r.ledger == "" {
		return nil
	}
	if err := replaceFile(r.ledger, r.first.Ledger().WriteCSV); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

// checkFiles says now what would keep files from being written at the end.
func (r *nodeRun) checkFiles() error {
	if r.ledger == "" {
		return nil
	}
	if r.queries != "" && filepath.Clean(r.queries) == filepath.Clean(r.ledger) {
		return usagef("--ledger and --log-queries name the same file: %s", r.ledger)
	}
	if info, err := os.Stat(r.ledger); err == nil && !info.Mode().IsRegular() {
		return usagef("--ledger %s: want the name of a file", r.ledger)
	}
	file, err := os.Create(besides(r.ledger))
	if err != nil {
		return fmt.Errorf("--ledger: %w", err)
	}
	file.Close()
	return os.Remove(file.Name())
}

// besides returns where a file is written that is to take the place of another.
func besides(name string) string { return name + ".part" }

// replaceFile puts a new file in the place of an old one, in one step: whoever
// reads has either in full.
func replaceFile(name string, write func(io.Writer) error) (err error) {
	file, err := os.Create(besides(name))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(file.Name())
		}
	}()
	err = write(file)
	if err == nil {
		err = file.Sync()
	}
	if e := file.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}
