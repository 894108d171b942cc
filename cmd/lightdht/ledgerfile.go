package main

import (
	"fmt"
	"io"
	"os"
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

// checkFiles says now what would keep files from being written at the end, and
// finds out where the ledger is.
func (r *nodeRun) checkFiles() error {
	if r.ledger == "" {
		return nil
	}
	if _, err := os.Readlink(r.ledger); err == nil { // or else the link would be replaced
		if r.ledger, err = realName(r.ledger); err != nil {
			return fmt.Errorf("--ledger: %w", err)
		}
	}
	if r.queries != "-" && r.queries != "" {
		for _, name := range []string{r.ledger, besides(r.ledger)} {
			if sameFile(r.queries, name) {
				return usagef("--ledger and --log-queries name the same file: %s", name)
			}
		}
	}
	return replaceable(r.ledger)
}

// replaceable says what would keep replaceFile from working.
func replaceable(name string) error {
	switch info, err := os.Stat(name); {
	case err == nil && !info.Mode().IsRegular():
		return usagef("--ledger %s: want the name of a file", name)
	case err == nil:
		file, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return fmt.Errorf("--ledger: %w", err)
		}
		file.Close()
	}
	file, err := os.Create(besides(name))
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
