package lightdht

import "testing"

// One packet over loopback, written and read, by the plain socket and by ours
// with all that it is told.
func BenchmarkSocket(b *testing.B) {
	plain, ours := openUDP(b, "127.0.0.1:0"), newUDPConn(openUDP(b, "127.0.0.1:0"))
	from := openUDP(b, "127.0.0.1:0")
	packet, buf := make([]byte, 100), make([]byte, maxDatagram)
	for _, c := range []struct {
		name string
		conn PacketConn
	}{{"plain", plain}, {"ours", ours}} {
		to := localAddr(c.conn)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				from.WriteToUDPAddrPort(packet, to)
				if _, _, err := c.conn.ReadFromUDPAddrPort(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/read", func(b *testing.B) {
			b.ReportAllocs()
			left := 0
			for ; b.Loop(); left-- {
				if left == 0 {
					b.StopTimer()
					for left = 200; left > 0; left-- {
						from.WriteToUDPAddrPort(packet, to)
					}
					left = 200
					b.StartTimer()
				}
				if _, _, err := c.conn.ReadFromUDPAddrPort(buf); err != nil {
					b.Fatal(err)
				}
			}
			for ; left > 0; left-- {
				c.conn.ReadFromUDPAddrPort(buf)
			}
		})
	}
}
