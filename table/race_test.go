//go:build race

package table_test

// raceEnabled: sync.Pool drops things at random then, and all is slow.
const raceEnabled = true
