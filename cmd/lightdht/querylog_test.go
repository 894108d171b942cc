package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// askedBy returns a query from a port.
func askedBy(port int) *lightdht.Packet {
	return &lightdht.Packet{
		Time: time.Date(2026, 1, 2, 3, 4, 5, 678_901_234, time.UTC), Method: "ping", Message: &krpc.Message{},
		Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), uint16(port)),
	}
}

const rowOfPort1 = "2026-01-02T03:04:05.678901Z,,192.0.2.1,1,ping,,\r\n"

var logHeader = strings.Join(queryColumns, ",") + "\r\n"

func openLog(t *testing.T, name string) (l *queryLog, said *strings.Builder) {
	t.Helper()
	said = new(strings.Builder)
	l, err := openQueryLog(name, nil, func(format string, args ...any) { fmt.Fprintf(said, format+"\n", args...) })
	if err != nil {
		t.Fatal(err)
	}
	return l, said
}

func contents(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestQueryRow(t *testing.T) {
	id, target := kad.MustParseID(someHash), kad.MustParseID(strings.Repeat("ab", 20))
	message := func(fields krpc.Fields) *krpc.Message {
		return &krpc.Message{Fields: fields, ID: id, Target: target, InfoHash: id}
	}
	from := netip.MustParseAddrPort("[2001:db8::1]:6881")
	for _, tt := range []struct {
		method string
		m      *krpc.Message
		want   string
	}{
		{"ping", message(krpc.FieldID), id.String() + ",2001:db8::1,6881,ping,"},
		{"find_node", message(krpc.FieldID | krpc.FieldTarget), id.String() + ",2001:db8::1,6881,find_node," + target.String()},
		{"get_peers", message(krpc.FieldID | krpc.FieldInfoHash), id.String() + ",2001:db8::1,6881,get_peers," + id.String()},
		{"announce_peer", message(krpc.FieldInfoHash), ",2001:db8::1,6881,announce_peer," + id.String()},
		{"", message(0), ",2001:db8::1,6881,,"},
		{"a,\"b\"\r\n\x00é", message(0), `,2001:db8::1,6881,"a,""b""\x0d\x0a\x00\xc3\xa9",`},
		{strings.Repeat("x", 60000), message(0), ",2001:db8::1,6881," + strings.Repeat("x", maxMethod) + ","},
	} {
		row := rowOf(&lightdht.Packet{Time: askedBy(1).Time, Addr: from, Method: tt.method, Message: tt.m})
		row.asked = target
		got := row.append(nil)
		if want := "2026-01-02T03:04:05.678901Z," + tt.want + "," + target.String() + "\r\n"; string(got) != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}

// However often the file is renamed and opened anew while rows come from several
// goroutines, each row is in one of the files, and each file has one header.
func TestQueryLogRotation(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an open file cannot be renamed here, and there is no SIGHUP")
	}
	const senders, each = 4, 3000 // fewer than the queue holds: none is skipped
	dir := t.TempDir()
	name := filepath.Join(dir, "queries.csv")
	l, said := openLog(t, name)
	var sending sync.WaitGroup
	for s := range senders {
		sending.Go(func() {
			for i := range each {
				l.add(askedBy(1 + s*each + i))
				runtime.Gosched()
			}
		})
	}
	all := make(chan struct{})
	go func() { sending.Wait(); close(all) }()
	rotations := 0
	for more := true; more; rotations++ {
		select {
		case <-all:
			more = false
		default:
		}
		if err := os.Rename(name, fmt.Sprintf("%s.%d", name, rotations)); err != nil {
			t.Fatal(err)
		}
		l.reopen()
		for _, err := os.Stat(name); err != nil; _, err = os.Stat(name) {
			runtime.Gosched() // the writer has not opened it yet
		}
	}
	if err := l.close(); err != nil || said.Len() > 0 {
		t.Fatalf("%v; said %q", err, said)
	}
	seen := map[string]int{}
	for i := range rotations {
		seeRows(t, fmt.Sprintf("%s.%d", name, i), seen)
	}
	seeRows(t, name, seen)
	for port := range senders * each {
		if n := seen[fmt.Sprint(port+1)]; n != 1 {
			t.Fatalf("row %d is in the files %d times, after %d rotations", port, n, rotations)
		}
	}
	if l.rows.Load() != senders*each || l.skipped.Load()+l.lost.Load() != 0 {
		t.Errorf("%d rows, %d skipped, %d lost", l.rows.Load(), l.skipped.Load(), l.lost.Load())
	}
	t.Logf("%d rotations", rotations)
}

// seeRows counts the ports in a file's rows.
func seeRows(t *testing.T, name string, seen map[string]int) {
	t.Helper()
	table, err := parseCSV(contents(t, name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, row := range table {
		if len(row) != len(queryColumns) || row["method"] != "ping" {
			t.Fatalf("%s: row %v", name, row)
		}
		seen[row["port"]]++
	}
}

// A log that is there is gone on with, after a line that was not ended.
func TestQueryLogAppends(t *testing.T) {
	name := filepath.Join(t.TempDir(), "queries.csv")
	for _, tt := range []struct{ old, want string }{
		{"", logHeader + rowOfPort1},
		{logHeader, logHeader + rowOfPort1},
		{logHeader + rowOfPort1, logHeader + rowOfPort1 + rowOfPort1},
		{logHeader + "2026-01", logHeader + "2026-01\r\n" + rowOfPort1},
	} {
		if err := os.WriteFile(name, []byte(tt.old), 0o644); err != nil {
			t.Fatal(err)
		}
		l, _ := openLog(t, name)
		l.add(askedBy(1))
		if err := l.close(); err != nil {
			t.Fatal(err)
		}
		if got := contents(t, name); got != tt.want {
			t.Errorf("after %q:\ngot  %q\nwant %q", tt.old, got, tt.want)
		}
	}
	if _, err := openQueryLog(filepath.Join(name, "x"), nil, t.Logf); err == nil {
		t.Error("a file in a file")
	}
}

// gate is a disk that takes nothing until it is opened.
type gate chan struct{}

func (g gate) Write(p []byte) (int, error) { <-g; return len(p), nil }

// Whoever adds rows does not wait for the disk; rows that there is no room for
// are counted.
func TestQueryLogSlowDisk(t *testing.T) {
	disk := make(gate)
	l, err := openQueryLog("-", disk, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	const sent = 4 * logQueue
	for i := range sent {
		l.add(askedBy(i))
	}
	close(disk)
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	if l.skipped.Load() == 0 || l.rows.Load()+l.skipped.Load() != sent || l.lost.Load() != 0 {
		t.Errorf("of %d: %d rows, %d skipped, %d lost", sent, l.rows.Load(), l.skipped.Load(), l.lost.Load())
	}
}

// full is a disk with room for some bytes.
type full struct {
	mu   sync.Mutex
	room int
	got  strings.Builder
}

// gets makes room for n bytes more.
func (f *full) gets(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.room += n
}

func (f *full) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := min(len(p), f.room)
	f.room -= n
	f.got.Write(p[:n])
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

func (f *full) Close() error { return nil }

// A disk that gets room again has all rows, none of them torn.
func TestLogFileGoesOnWhereItStopped(t *testing.T) {
	disk := &full{room: len(logHeader) + 10}
	f := logFile{w: disk}
	f.begin()
	f.buf = append(f.buf, rowOfPort1+rowOfPort1...)
	if err := f.flush(); !errors.Is(err, errFull) || !f.torn || !f.stuck {
		t.Errorf("flush: %v, %+v", err, f)
	}
	disk.gets(1000)
	if err := f.flush(); err != nil || f.torn || f.stuck || disk.got.String() != logHeader+rowOfPort1+rowOfPort1 {
		t.Errorf("flush: %v, %q", err, disk.got.String())
	}
}

// The new file has whole rows alone, and the one that was torn is counted.
func TestLogFileReopenedWhenTorn(t *testing.T) {
	name := filepath.Join(t.TempDir(), "queries.csv")
	f := logFile{w: &full{room: 10}}
	f.buf = []byte(rowOfPort1 + rowOfPort1)
	f.flush()
	if lost, err := f.reopen(filepath.Join(name, "x")); err == nil || lost != 0 || len(f.buf) != 2*len(rowOfPort1)-10 {
		t.Errorf("reopened where it cannot be: lost %d, %v", lost, err)
	}
	if lost, err := f.reopen(name); err != nil || lost != 1 {
		t.Errorf("reopened: lost %d, %v", lost, err)
	}
	if err := f.flush(); err != nil {
		t.Fatal(err)
	}
	if f.close(); contents(t, name) != logHeader+rowOfPort1 {
		t.Errorf("got %q", contents(t, name))
	}
}

// A header that was never written, or not in full, is no row, and there is one
// in the new file.
func TestLogFileReopenedBeforeItsHeader(t *testing.T) {
	for _, room := range []int{0, 5} {
		name := filepath.Join(t.TempDir(), "queries.csv")
		f := logFile{w: &full{room: room}}
		f.begin()
		f.buf = append(f.buf, rowOfPort1...)
		f.flush()
		again := f
		again.buf = []byte(string(f.buf))
		if lost, err := again.close(); lost != 1 || err != nil {
			t.Errorf("after %d bytes: closed with %d rows lost, want 1; %v", room, lost, err)
		}
		if lost, err := f.reopen(name); err != nil || lost != 0 {
			t.Errorf("after %d bytes: lost %d, %v", room, lost, err)
		}
		f.flush()
		if lost, _ := f.close(); lost != 0 || contents(t, name) != logHeader+rowOfPort1 {
			t.Errorf("after %d bytes: lost %d, got %q", room, lost, contents(t, name))
		}
	}
}

// A disk that is full is told once, and the rows that were lost are counted and
// make the end an error.
func TestQueryLogFullDisk(t *testing.T) {
	var said []string
	disk := &full{room: len(logHeader) + len(rowOfPort1) + 10}
	l, err := openQueryLog("-", disk, func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) })
	if err != nil {
		t.Fatal(err)
	}
	const sent = 200_000 // more than are kept while nothing can be written
	for i := range sent {
		for len(l.queue) == cap(l.queue) {
			runtime.Gosched() // the writer is behind
		}
		l.add(askedBy(1 + i%9))
	}
	err = l.close()
	if !errors.Is(err, errFull) || len(said) != 1 || !strings.Contains(said[0], errFull.Error()) {
		t.Errorf("%v; said %q", err, said)
	}
	if rows, lost := l.rows.Load(), l.lost.Load(); rows != sent || lost != sent-1 {
		t.Errorf("of %d rows %d were taken and %d lost, want all but 1", sent, rows, lost)
	}
	if !strings.Contains(err.Error(), fmt.Sprintf("%d rows lost", sent-1)) {
		t.Errorf("the error does not tell how many: %v", err)
	}
}

// A disk that gets room again loses nothing, which is no error; that it is full
// is told whenever that begins, and so is its end.
func TestQueryLogFullForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said []string
		disk := &full{room: len(logHeader)}
		l, err := openQueryLog("-", disk, func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) })
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(logEvery / 2) // never when the writer wakes
		for range 2 {
			l.add(askedBy(1))
			time.Sleep(3 * logEvery) // it fails each time
			synctest.Wait()
			disk.gets(len(rowOfPort1))
			time.Sleep(logEvery)
			synctest.Wait()
		}
		if err := l.close(); err != nil || disk.got.String() != logHeader+rowOfPort1+rowOfPort1 || l.written.Load() != 2 {
			t.Errorf("%v; %d written: %q", err, l.written.Load(), disk.got.String())
		}
		full := "query log: disk full; trying on, and keeping rows as long as there is room"
		again := "query log: writing again; 0 rows lost so far"
		if want := []string{full, again, full, again}; !slices.Equal(said, want) {
			t.Errorf("said %q, want %q", said, want)
		}
	})
}

// Who reads the log and stops does not keep the program from ending: what was
// not taken in time is lost, and is counted, in the writer's hands or not.
func TestQueryLogStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := make(gate)
		l, err := openQueryLog("-", disk, t.Logf)
		if err != nil {
			t.Fatal(err)
		}
		l.add(askedBy(1))
		disk <- struct{}{} // one chunk passes
		synctest.Wait()
		const stuck = 3000 // some of them in the queue
		for i := range stuck {
			l.add(askedBy(1 + i))
		}
		began := time.Now()
		err = l.close()
		if took := time.Since(began); took != logEnding {
			t.Errorf("it took %s to close", took)
		}
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d rows lost", stuck)) || l.lost.Load() != stuck || l.written.Load() != 1 {
			t.Errorf("%v; %d lost, %d written", err, l.lost.Load(), l.written.Load())
		}
		close(disk)
		<-l.done
		if l.lost.Load() != stuck || l.written.Load() != 1 {
			t.Errorf("afterwards: %d lost, %d written", l.lost.Load(), l.written.Load())
		}
	})
}

// A slow reader has all, when the time is enough.
func TestQueryLogInChunks(t *testing.T) {
	name := filepath.Join(t.TempDir(), "queries.csv")
	f := logFile{}
	if err := f.open(name); err != nil {
		t.Fatal(err)
	}
	const rows = 3 * logChunk / len(rowOfPort1)
	f.buf = append(f.buf, strings.Repeat(rowOfPort1, rows)...)
	for len(f.buf) > 0 {
		before := len(f.buf)
		if err := f.flush(); err != nil || before-len(f.buf) > logChunk {
			t.Fatalf("%d bytes at once, %v", before-len(f.buf), err)
		}
	}
	if lost, err := f.close(); lost != 0 || err != nil || f.rows != rows {
		t.Errorf("%d rows lost, %d written, want %d; %v", lost, f.rows, rows, err)
	}
	if contents(t, name) != logHeader+strings.Repeat(rowOfPort1, rows) {
		t.Error("the file has something else")
	}
}

func TestNoQueryLog(t *testing.T) {
	var l *queryLog
	l.add(askedBy(1))
	l.reopen()
	if err := l.close(); err != nil {
		t.Error(err)
	}
}

// A file is replaced as a whole or not at all.
func TestReplaceFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ledger.csv")
	if err := replaceFile(name, func(w io.Writer) error { _, err := io.WriteString(w, "old"); return err }); err != nil {
		t.Fatal(err)
	}
	err := replaceFile(name, func(w io.Writer) error {
		io.WriteString(w, "ne")
		if got := contents(t, name); got != "old" {
			t.Errorf("while it is written: %q", got)
		}
		return errFull
	})
	if !errors.Is(err, errFull) || contents(t, name) != "old" {
		t.Errorf("%v, and then %q", err, contents(t, name))
	}
	if _, err := os.Stat(besides(name)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something is left over: %v", err)
	}
}
