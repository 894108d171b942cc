package dataset

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
)

// A client version may look like a frame with a contact that nobody saw. When the
// frame around it is spoilt, it is found by who looks for frames, and is none.
func TestForgedFrame(t *testing.T) {
	w, s := newWorld(1, 3), newStore(t)
	forged := Tally{Node: w.nodes[1], First: 1, Replies: 4e9, Reply: 1}
	frame := beginFrame(nil, 1)
	frame = forged.append(frame, 1)
	endFrame(frame, 0, 0)
	if len(frame) > maxVersion {
		t.Fatalf("the frame has %d bytes, too many for a version", len(frame))
	}
	r := begin(t, s, Settings{FlushEvery: time.Hour, segment: 1 << 30})
	for _, n := range []kad.NodeInfo{w.nodes[0], w.nodes[2]} {
		r.Record(&record.Sighting{Time: w.tick(), Node: n, Event: record.Queried, Version: frame})
		r.Flush()
	}
	name := filepath.Join(s.runDir(r.ID()), logName(sortTallies, 1))
	file, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt([]byte{0}, headSize); err != nil { // the magic of the first frame
		t.Fatal(err)
	}
	told := tell(s)
	got := contactsOf(t, s, Filter{})
	if _, ok := got[w.nodes[2]]; len(got) != 1 || !ok || len(*told) != 1 {
		t.Errorf("read %v, told %v", got, *told)
	}
}
