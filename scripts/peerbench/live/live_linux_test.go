package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/scripts/peerbench/server"
)

// The servers that are ours are this program with other arguments.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == ServeCommand {
		os.Exit(server.Run(context.Background(), os.Args[2:], os.Stderr))
	}
	os.Exit(m.Run())
}

var short = Config{Contacts: 5000, Span: 500 * time.Millisecond, crowd: 40, feeding: 30 * time.Second, warmup: 20 * time.Millisecond}

// Those that are ours are measured anywhere.
func TestMeasure(t *testing.T) {
	for _, p := range peers(short) {
		if p.other || p.bare {
			continue
		}
		m, err := measure(t.Context(), short, p)
		if err != nil {
			t.Errorf("%s: %v", p.name, err)
			continue
		}
		for i, r := range m.results {
			if r.Answers == 0 || r.Full < r.Answers {
				t.Errorf("%s, %d askers: %+v", p.name, askers[i], r)
			}
		}
		if want := map[string]int{"lightdht, 1,000 contacts": short.crowd, "lightdht, 5,000 contacts": 1000}[p.name]; m.named < want || want == short.crowd && m.named > want {
			t.Errorf("%s is seen to know %d, want %d", p.name, m.named, want)
		}
	}
}

// What goes wrong is said, with the server's own words.
func TestMeasureFails(t *testing.T) {
	shell := func(script string) peer {
		return peer{command: func(site) ([]string, error) { return []string{"/bin/sh", "-c", script}, nil }}
	}
	few := peer{name: "few", command: func(s site) ([]string, error) {
		conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(s.listen))
		if err == nil {
			t.Cleanup(func() { conn.Close() })
			go answerFew(conn)
		}
		return []string{"sleep", "60"}, err
	}}
	for _, c := range []struct {
		p    peer
		says []string
	}{
		{shell("echo no such option; exit 3"), []string{"ended early", "no such option"}},
		{shell("sleep 60"), []string{"does not answer with 8 nodes", "answers 0 do"}},
		{few, []string{"does not answer with 8 nodes", "answers 0 do"}},
		{peer{command: func(site) ([]string, error) { return []string{"/nonexistent"}, nil }}, []string{"nonexistent"}},
		{peer{command: func(site) ([]string, error) { return nil, errors.New("no disk") }}, []string{"no disk"}},
	} {
		quick := short
		if quick.feeding = 100 * time.Millisecond; c.p.name == few.name {
			quick.feeding = 2 * time.Second // enough for it to be taken for fed
		}
		_, err := measure(t.Context(), quick, c.p)
		for _, want := range c.says {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("it says %v, want %q", err, want)
			}
		}
	}
}

// answerFew answers all queries with 3 nodes.
func answerFew(conn *net.UDPConn) {
	b := make([]byte, 2048)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		if _, rest, ok := bytes.Cut(b[:n], []byte("1:t4:")); ok {
			reply := "d1:rd2:id20:" + strings.Repeat("i", 20) + "5:nodes78:" + strings.Repeat("n", 78) + "e1:t4:" + string(rest[:4]) + "1:y1:re"
			conn.WriteToUDPAddrPort([]byte(reply), from)
		}
	}
}

// A server that was measured is gone, and so is its folder.
func TestMeasureCleansUp(t *testing.T) {
	var at site
	p := peer{command: func(s site) ([]string, error) {
		at = s
		return []string{"/bin/sh", "-c", "sleep 60; : " + s.dir}, nil
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := measure(ctx, short, p); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it ends with %v", err)
	}
	if _, err := os.Stat(at.dir); !os.IsNotExist(err) {
		t.Errorf("its folder: %v", err)
	}
	if out, err := exec.Command("pgrep", "-f", at.dir).Output(); err == nil {
		t.Errorf("it left %s", out)
	}
}

func TestWhy(t *testing.T) {
	for _, c := range []struct {
		p    peer
		want string
	}{
		{peer{}, ""},
		{peer{other: true, program: "no-such-program"}, "no-such-program is not installed"},
	} {
		if got := c.p.why(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.p, got, c.want)
		}
	}
	if got := (peer{other: true, program: "sh"}).why(); got != "" && !isolated() && !strings.Contains(got, "namespace") {
		t.Errorf("with a way out: %q", got)
	}
}

// A pass measures a server once, for all of its contests.
func TestShared(t *testing.T) {
	made := 0
	s := shared[int]{measure: func(context.Context) (int, error) {
		made++
		if made == 2 {
			return 0, errors.New("second")
		}
		return made, nil
	}}
	var told []string
	for range 3 {
		for contest := range 2 {
			n, err := s.get(t.Context(), contest)
			told = append(told, fmt.Sprint(n, err))
		}
	}
	if got := strings.Join(told, ", "); got != "1 <nil>, 1 <nil>, 0 second, 0 second, 3 <nil>, 3 <nil>" {
		t.Errorf("told: %s", got)
	}
}

// Each contest has its own figure of a measurement.
func TestTell(t *testing.T) {
	var m measured
	for i := range m.results {
		m.results[i].Span, m.results[i].Answers, m.results[i].Nodes = time.Second, uint64(1000*(i+1)), uint64(8000*(i+1))
		m.results[i].Server = 10 * time.Millisecond
		m.results[i].Losses, m.results[i].P99 = uint64(i), 1500*time.Microsecond
	}
	var told []string
	for i := range Contests(short) {
		figure, note := m.tell(i)
		told = append(told, fmt.Sprint(figure, " ", note))
	}
	want := []string{
		"1000 8.00 nodes an answer, of 0 or more; p50 0.00 ms, p99 1.50 ms; generator 0.00 µs", "10 ",
		"2000 8.00 nodes an answer, of 0 or more; p50 0.00 ms, p99 1.50 ms; generator 0.00 µs; 1 lost", "5 ",
	}
	if strings.Join(told, "\n") != strings.Join(want, "\n") {
		t.Errorf("told: %q", told)
	}
}
