package load

import (
	"context"
	"net/netip"
	"strings"
	"time"
)

// Echo answers every query that a generator sends to addr with the same 8 nodes,
// many in a system call: it does so little that what it answers is the limit of
// the generator, not its own. It returns when ctx is done.
func Echo(ctx context.Context, addr netip.AddrPort) error {
	s, err := newSocketAt(addr)
	if err != nil {
		return err
	}
	defer s.close()
	return s.echo(ctx, addr)
}

func (s *socket) echo(ctx context.Context, addr netip.AddrPort) error {
	reply := []byte("d1:rd2:id20:" + strings.Repeat("i", idSize) + "5:nodes208:" + strings.Repeat("n", answered*nodeSize) + "e1:t4:" + "tttt1:y1:re")
	tid := len(reply) - len("tttt1:y1:re")
	for ctx.Err() == nil {
		n, err := s.receive()
		if err != nil {
			return err
		}
		for i := range n {
			q, from := s.received(i)
			if len(q) != querySize {
				continue
			}
			b, err := s.post(len(reply), addr.Addr().As4(), from)
			if err != nil {
				return err
			}
			copy(b, reply)
			copy(b[tid:], q[queryTIDAt:queryTIDAt+4])
		}
		if err := s.flush(); err != nil {
			return err
		}
		if n == 0 {
			doze(20 * time.Microsecond)
		}
	}
	return nil
}
