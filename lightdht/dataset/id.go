package dataset

import (
	"bytes"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// RunID names a run: a UUID of version 7, which begins with the time.
type RunID [16]byte

// NewRunID returns the ID of a run that begins now.
func NewRunID() (RunID, error) {
	id, err := uuid.NewV7()
	return RunID(id), err
}

// ParseRunID reads a run ID in the usual form.
func ParseRunID(s string) (RunID, error) {
	id, err := uuid.Parse(s)
	if err != nil || len(s) != 36 {
		return RunID{}, fmt.Errorf("%q is no run: want a name such as 019aa0c1-7d5f-7e10-9a1b-0123456789ab", s)
	}
	return RunID(id), nil
}

// String returns the usual form.
func (id RunID) String() string { return uuid.UUID(id).String() }

// MarshalText returns what String does.
func (id RunID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what ParseRunID does.
func (id *RunID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseRunID(string(text))
	return err
}

// Time returns when the run began, in milliseconds.
func (id RunID) Time() time.Time {
	var ms int64
	for _, b := range id[:6] {
		ms = ms<<8 | int64(b)
	}
	return time.UnixMilli(ms).UTC()
}

// Compare orders runs by their beginning.
func (id RunID) Compare(other RunID) int { return bytes.Compare(id[:], other[:]) }
