package krpc

import "math"

// maxDepth is how many containers may be open at once, the message itself
// included. Real messages open four.
const maxDepth = 32

// cursor walks strict bencode. Its first failure sticks and moves it to the
// end, where every further read fails at once; so callers look at bad only
// when they are done. Each step moves forward, hence work is linear in len(b).
type cursor struct {
	b     []byte
	i     int // the next byte to read
	depth int // open containers

	bad string // what was wrong; empty while all is well
	at  int    // where
}

func (c *cursor) fail(what string, at int) {
	if c.bad == "" {
		c.bad, c.at = what, at
	}
	c.i = len(c.b)
}

// err returns the failure as an error, or nil.
func (c *cursor) err() error {
	if c.bad == "" {
		return nil
	}
	return &SyntaxError{Offset: c.at, What: c.bad}
}

// peek returns the next byte, 0 at the end (which begins no value).
func (c *cursor) peek() byte {
	if c.i < len(c.b) {
		return c.b[c.i]
	}
	return 0
}

// atString reports whether the next value begins like a string.
func (c *cursor) atString() bool { return c.peek()-'0' <= 9 }

// open steps into the list or dictionary that the cursor stands at.
func (c *cursor) open() {
	if c.depth++; c.depth > maxDepth {
		c.fail("nested too deep", c.i)
		return
	}
	c.i++
}

// more reports whether the open container holds another item. If not, it steps
// over its end.
func (c *cursor) more() bool {
	switch c.peek() {
	case 'e':
		c.i++
		c.depth--
		return false
	case 0:
		c.stop()
		return false
	}
	return true
}

// stop fails at a byte that begins no value, or at the end of the input.
func (c *cursor) stop() {
	if c.i >= len(c.b) {
		c.fail("truncated", len(c.b))
		return
	}
	c.fail("bad value", c.i)
}

// str reads a string: its length without leading zeros, a colon, its bytes.
// The result is a view without spare capacity. It is nil after a failure and
// only then.
func (c *cursor) str() []byte {
	b, i := c.b, c.i
	if i >= len(b) || b[i]-'0' > 9 {
		c.stop()
		return nil
	}
	n := int(b[i] - '0')
	for i++; i < len(b) && b[i] != ':'; i++ {
		digit := int(b[i]) - '0'
		if digit < 0 || digit > 9 || n == 0 {
			c.fail("bad length", c.i)
			return nil
		}
		if n = 10*n + digit; n > len(b) { // before it can overflow
			break
		}
	}
	if i++; n > len(b)-i {
		c.fail("string beyond the end", c.i)
		return nil
	}
	c.i = i + n
	return b[i : i+n : i+n]
}

// num reads an integer that fits an int64, without leading zeros, not "-0".
// The cursor stands at its 'i'. It returns 0 after a failure.
func (c *cursor) num() int64 {
	b, i := c.b, c.i+1
	negative := i < len(b) && b[i] == '-'
	if negative {
		i++
	}
	first := i
	var n uint64
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		if i-first == 19 { // ten to the 19th fits a uint64, but no int64
			c.fail("integer out of range", c.i)
			return 0
		}
		n = 10*n + uint64(b[i]-'0')
	}
	digits := i - first
	switch {
	case i >= len(b):
		c.fail("truncated", len(b))
	case b[i] != 'e' || digits == 0 || b[first] == '0' && (digits > 1 || negative):
		c.fail("bad integer", c.i)
	case n > math.MaxInt64 && !(negative && n == 1<<63):
		c.fail("integer out of range", c.i)
	default:
		c.i = i + 1
		if negative {
			return -int64(n)
		}
		return int64(n)
	}
	return 0
}

// skip steps over one value of any type.
func (c *cursor) skip() {
	switch c.peek() {
	case 'i':
		c.num()
	case 'l':
		for c.open(); c.more(); {
			c.skip()
		}
	case 'd':
		for c.open(); c.more(); {
			c.str()
			c.skip()
		}
	default:
		c.str()
	}
}

// raw is skip, and returns the bytes of the value: nil after a failure.
func (c *cursor) raw() []byte {
	start := c.i
	if c.skip(); c.bad != "" {
		return nil
	}
	return c.b[start:c.i:c.i]
}

// finish fails unless the whole input has been read.
func (c *cursor) finish() {
	if c.bad == "" && c.i < len(c.b) {
		c.fail("trailing bytes", c.i)
	}
}
