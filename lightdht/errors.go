package lightdht

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// What ends a call without an answer. They come wrapped in a [QueryError]; test
// with errors.Is. A KRPC error is a *krpc.Error inside a QueryError, and a
// cancelled context is its cause there (context.Cause).
var (
	ErrTimeout  = errors.New("no answer in time")
	ErrRefused  = errors.New("nobody listens there") // says the receiver's system, and the text how; told on Linux
	ErrClosed   = errors.New("node is closed")
	ErrReserved = errors.New("private or reserved address on the public network")
	ErrAddress  = errors.New("not an address that a node can have")
	ErrFamily   = errors.New("node has no socket of this address family")
	ErrNoNodes  = errors.New("no node to ask")
	ErrNotTaken = errors.New("none of the closest nodes took it")
	ErrNoAnswer = errors.New("nobody answered")
	ErrLimited  = errors.New("too much to be sent there within the limits")
	ErrOptOut   = errors.New("its network does not want to be asked")
	ErrBanned   = errors.New("banned for asking too much")
)

// QueryError says which query, to whom, ended without an answer, and why.
type QueryError struct {
	Method string
	Addr   netip.AddrPort
	Err    error
}

// Error returns "find_node to 192.0.2.1:6881: no answer in time".
func (e *QueryError) Error() string { return fmt.Sprintf("%s to %s: %v", e.Method, e.Addr, e.Err) }

// Unwrap returns the cause.
func (e *QueryError) Unwrap() error { return e.Err }

// cause returns what a QueryError is about, and any other error as it is.
func cause(err error) error {
	if q := (*QueryError)(nil); errors.As(err, &q) {
		return q.Err
	}
	return err
}

// BootstrapError says of every place that was tried why it did not help.
type BootstrapError struct {
	Tried []BootstrapFailure // one for each host that did not resolve and each address that did not answer
	Tries int                // rounds made over all of them
}

// BootstrapFailure is one place that did not help.
type BootstrapFailure struct {
	Host string         // as configured, host:port
	Addr netip.AddrPort // one of its addresses; zero when the name did not resolve
	Err  error
}

// Error names each place and why, on one line.
func (e *BootstrapError) Error() string {
	var b strings.Builder
	b.WriteString("no bootstrap node answered")
	if e.Tries > 1 {
		fmt.Fprintf(&b, " in %d tries", e.Tries)
	}
	for i, f := range e.Tried {
		sep := "; "
		if i == 0 {
			sep = ": "
		}
		place := f.Host
		if f.Addr.IsValid() && f.Addr.String() != f.Host {
			place += " (" + f.Addr.String() + ")"
		}
		fmt.Fprintf(&b, "%s%s: %v", sep, place, f.Err)
	}
	return b.String()
}

// Unwrap returns the single causes.
func (e *BootstrapError) Unwrap() []error {
	errs := make([]error, len(e.Tried))
	for i, f := range e.Tried {
		errs[i] = f.Err
	}
	return errs
}

// errReadOnly is about an answer of a node that answers nothing.
var errReadOnly = errors.New("a read-only node answers nothing")

// errNoQuery is about a packet that cannot be answered.
var errNoQuery = errors.New("no query that was received")

// errKindless is about a message that does not say what it is.
var errKindless = errors.New("krpc: no kind of message")

// reachable says whether this node may exchange packets with addr.
func (n *Node) reachable(addr netip.AddrPort) bool { return n.refusal(addr) == nil }

// refusal returns why this node may not exchange packets with addr, nil when it
// may.
func (n *Node) refusal(addr netip.AddrPort) error {
	switch {
	case addr.Port() == 0 || !kad.IsHost(addr.Addr()):
		return ErrAddress
	case !n.private && kad.IsReserved(addr.Addr()):
		return ErrReserved
	}
	return nil
}

// askable says whether this node may send packets to addr.
func (n *Node) askable(addr netip.AddrPort) bool {
	return n.reachable(addr) && !n.cfg.OptOut.Has(addr.Addr())
}
