//go:build !unix && !windows

package lightdht

// growBuffers does nothing: sockets have no options here.
func (c *udpConn) growBuffers() {}
