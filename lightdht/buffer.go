package lightdht

// bufferWanted is what is asked of the system for each socket in each
// direction, in bytes: room for a second of 20,000 packets, as they are counted.
const bufferWanted = 4 << 20

// buffers is what the log says of the buffers.
func (c *udpConn) buffers() []any {
	said := []any{"receive_buffer", c.in, "send_buffer", c.out}
	if c.in < bufferWanted || c.out < bufferWanted {
		said = append(said, "asked", bufferWanted, "advice", bufferAdvice)
	}
	return said
}
