package kad

import "fmt"

// MarshalBencode returns id as a bencoded string of its 20 bytes, as it stands
// in messages and saved tables; it never fails. Without it an encoder that looks
// for MarshalText would write hex digits.
func (id ID) MarshalBencode() ([]byte, error) {
	return append([]byte("20:"), id[:]...), nil
}

// UnmarshalBencode reads a bencoded string of 20 bytes into id, which stays as
// it was on an error.
func (id *ID) UnmarshalBencode(b []byte) error {
	if len(b) != 3+Size || string(b[:3]) != "20:" {
		return fmt.Errorf("an ID is a bencoded string of %d bytes", Size)
	}
	copy(id[:], b[3:])
	return nil
}
