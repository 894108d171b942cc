package testnet_test

import (
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/testnet"
)

// One packet of 100 bytes, written and read; 500 are written before the first of
// them is read. The delays, in real time, add 200 to 400 ns to each.
func BenchmarkMemory(b *testing.B) {
	const delay = 100 * time.Microsecond
	for _, bench := range []struct {
		name string
		path testnet.Path
	}{{"at-once", testnet.Path{}}, {"delay", testnet.Path{Delay: delay}}, {"jitter", testnet.Path{Delay: delay, Jitter: delay}}} {
		b.Run(bench.name, func(b *testing.B) {
			var m testnet.Memory
			m.Paths(always(bench.path))
			conn, err := m.Listen(here)
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			packet, buf := make([]byte, 100), make([]byte, 1500)
			b.ReportAllocs()
			b.ResetTimer()
			for left := b.N; left > 0; left -= min(left, 500) {
				for range min(left, 500) {
					conn.WriteToUDPAddrPort(packet, here)
				}
				for range min(left, 500) {
					conn.ReadFromUDPAddrPort(buf)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
		})
	}
}
