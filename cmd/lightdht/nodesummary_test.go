package main

import (
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// All figures of the summary are of when the node was closed, though a query was
// under way then.
func TestSummaryAgrees(t *testing.T) {
	var said strings.Builder
	r := &nodeRun{session: &session{stderr: &said}, screen: newScreen(&said), began: time.Now()}
	arrived, closing := make(chan bool), make(chan bool)
	r.cfg = lightdht.Config{Network: lightdht.Private, Timeout: time.Hour}
	r.cfg.Trace = &lightdht.Trace{Query: func(p *lightdht.Packet) { close(arrived); <-closing; r.query(p) }}
	var err error
	if r.vantages, err = listenAll("127.0.0.1:0", []kad.ID{{}}, r.cfg); err != nil {
		t.Fatal(err)
	}
	r.first = r.vantages[0]
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(r.first.Addr(kad.IPv4)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	self := conn.LocalAddr().(*net.UDPAddr).AddrPort() // which answers nothing
	r.first.Go(t.Context(), self, krpc.Ping{}, func(krpc.Reply, error) { close(closing) })
	if _, err := conn.Write([]byte("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe")); err != nil {
		t.Fatal(err)
	}
	<-arrived
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	told := regexp.MustCompile(`(?s)queries received: 1 \(1 ping\).* queries_in 1 `).FindString(said.String())
	if told == "" {
		t.Errorf("they disagree:\n%s", said.String())
	}
}
