package server

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// serveNode has a lightdht node answer. The network is a private one, which has
// no limits, and the node asks nothing on its own but whether newcomers answer.
func serveNode(ctx context.Context, addr netip.AddrPort, contacts int) error {
	known := table.NewPrefix() // the default
	preload(known, contacts)
	node, err := lightdht.Listen(addr.String(), lightdht.Config{
		Network:  lightdht.Private,
		Upkeep:   lightdht.UpkeepConfig{Off: true},
		NewTable: func() table.Table { return known }, // asked for once: an IPv4 address has one family
	})
	if err != nil {
		return err
	}
	defer node.Close()
	<-ctx.Done()
	return nil
}

// preload fills a table with contacts that have just answered.
func preload(t table.Table, contacts int) {
	r, now := rand.New(rand.NewPCG(1, 1)), time.Now()
	for i := range contacts {
		t.Restore(table.Contact{
			ID: drawID(r), Addr: somewhere(i), FirstSeen: now, LastSeen: now, LastReply: now,
			LastRTT: 50 * time.Millisecond, Replies: 1, Version: "LT\x02\x00", Origin: table.FromImport,
		})
	}
}

func drawID(r *rand.Rand) (id kad.ID) {
	for at := 0; at < kad.Size; at += 4 {
		binary.BigEndian.PutUint32(id[at:], r.Uint32())
	}
	return id
}

// somewhere returns one of 8 million addresses of this machine, where nobody is.
func somewhere(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 128 | byte(i>>16), byte(i >> 8), byte(i)}), 6881)
}
