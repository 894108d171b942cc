package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// realName returns the absolute name of the file that name stands for, links
// followed, whether there is such a file or not. The folder must be there.
func realName(name string) (string, error) {
	return follow(name, func(string) bool { return false })
}

// follow is realName that goes no further than a name that end says yes to.
func follow(name string, end func(name string) bool) (string, error) {
	name, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	for range maxLinks {
		dir, err := filepath.EvalSymlinks(filepath.Dir(name))
		if err != nil {
			return "", err
		}
		name = filepath.Join(dir, filepath.Base(name))
		if end(name) {
			return name, nil
		}
		target, err := os.Readlink(name)
		if err != nil {
			return name, nil // it is no link, or not there
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(dir, target)
		}
		name = target
	}
	return "", &os.PathError{Op: "open", Path: name, Err: errors.New("too many links")}
}

// inSystem reports whether a name stands in /dev or /proc: for a device, or for a
// file that some program has open, be it a regular one. No other file can take its
// place. /dev/shm is a place for files.
func inSystem(name string) bool {
	in := func(folder string) bool { return strings.HasPrefix(name, folder) }
	return in("/proc/") || in("/dev/") && !in("/dev/shm/")
}

// maxLinks is how many links to links are followed.
const maxLinks = 40

// sameFile reports whether two names stand for one file, or would.
func sameFile(a, b string) bool {
	if a, err := realName(a); err == nil {
		if b, err := realName(b); err == nil && a == b {
			return true
		}
	}
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}
