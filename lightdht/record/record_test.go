package record_test

import (
	"testing"

	"github.com/lightdht/lightdht/lightdht/record"
)

func TestEventString(t *testing.T) {
	for e, want := range map[record.Event]string{
		0: "unknown", record.Mentioned: "mentioned", record.Queried: "queried", record.Replied: "replied", record.Failed: "failed", 5: "unknown", 255: "unknown",
	} {
		if got := e.String(); got != want {
			t.Errorf("event %d is %q, want %q", uint8(e), got, want)
		}
	}
}

// Events are written as numbers into data that is kept: theirs never change.
func TestEventNumbers(t *testing.T) {
	if got := [...]record.Event{record.Mentioned, record.Queried, record.Replied, record.Failed}; got != [...]record.Event{1, 2, 3, 4} {
		t.Errorf("they are %d", got)
	}
}

// kept is a Recorder as small as can be.
type kept []record.Sighting

func (k *kept) Record(r record.Row) {
	if s, ok := r.(*record.Sighting); ok {
		*k = append(*k, *s)
	}
}

// A row is known by its type.
func TestRecorderIsGivenRows(t *testing.T) {
	var k kept
	var r record.Recorder = &k
	r.Record(&record.Sighting{Event: record.Queried, Method: "ping"})
	if len(k) != 1 || k[0].Method != "ping" {
		t.Errorf("kept %+v", k)
	}
}
