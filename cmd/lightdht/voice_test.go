package main

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestVoice(t *testing.T) {
	var heard strings.Builder
	v := newVoice(&heard)
	want := ""
	line := []byte("line 0\n")
	for i := range 9 {
		line[5] = byte('0' + i)
		v.Write(line)
		want += string(line)
	}
	v.close()
	v.Write([]byte("too late"))
	if v.close(); heard.String() != want {
		t.Errorf("heard %q, want %q", heard.String(), want)
	}
}

// Who speaks does not wait, neither while the reader stalls nor at the end; a
// reader that goes on is told what it missed.
func TestVoiceStalled(t *testing.T) {
	for _, goesOn := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			reader := &listener{gate: make(gate)}
			v := newVoice(reader)
			began := time.Now()
			v.Write([]byte("0\n"))
			synctest.Wait() // it is being written
			const missed = 10
			for i := range voiceQueue + missed {
				fmt.Fprintln(v, i+1)
			}
			if goesOn {
				close(reader.gate)
			}
			v.close()
			if !goesOn {
				if took := time.Since(began); took != voiceEnding {
					t.Errorf("it took %s", took)
				}
				close(reader.gate)
			}
			<-v.done
			if !strings.HasSuffix(reader.heard.String(), fmt.Sprintf("\n%d\n%d lines left out here: nobody read them in time\n", voiceQueue, missed)) {
				t.Errorf("heard %q", reader.heard.String())
			}
		})
	}
}

// listener is a gate that remembers.
type listener struct {
	gate
	heard strings.Builder
}

func (l *listener) Write(p []byte) (int, error) {
	l.gate.Write(p)
	return l.heard.Write(p)
}
