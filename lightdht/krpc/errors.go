package krpc

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
)

// What Parse and Decode return, to be tested with errors.Is.
var (
	// ErrNotKRPC: the datagram does not begin with a dictionary. Peers that
	// speak uTP on the same port send such, and it is no fault of theirs.
	ErrNotKRPC = errors.New("krpc: not a dictionary")

	// ErrSyntax stands for every *SyntaxError.
	ErrSyntax = errors.New("krpc: malformed bencode")
)

// SyntaxError says where strict bencode ended. It is an ErrSyntax.
type SyntaxError struct {
	Offset int    // in bytes from the start of the input
	What   string // "bad length", "truncated", …
}

// Error returns "krpc: bad length at byte 17".
func (e *SyntaxError) Error() string { return "krpc: " + e.What + " at byte " + strconv.Itoa(e.Offset) }

// Is makes every SyntaxError an ErrSyntax.
func (e *SyntaxError) Is(target error) bool { return target == ErrSyntax }

// The codes of BEP 5 and BEP 44.
const (
	CodeGeneric       = 201
	CodeServer        = 202
	CodeProtocol      = 203 // malformed packet, invalid arguments or bad token
	CodeMethodUnknown = 204
	CodeValueTooBig   = 205 // the bencoded v has more than 1000 bytes
	CodeBadSignature  = 206
	CodeSaltTooBig    = 207 // the salt has more than 64 bytes
	CodeCASMismatch   = 301 // cas is not the stored seq: read again, then put
	CodeSeqTooLow     = 302 // seq is less than the stored one
)

// Error is an error message that came as the answer to a query.
type Error struct {
	Code int64
	Text string // as the sender wrote it, any bytes
}

// Error returns "krpc error 203: bad token". Bytes of Text that are not
// printable become '?': they come from the network and may go to a terminal.
func (e Error) Error() string {
	return "krpc error " + strconv.FormatInt(e.Code, 10) + ": " + strings.Map(printable, e.Text)
}

func printable(r rune) rune {
	if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
		return '?'
	}
	return r
}
