//go:build !linux

package load

import (
	"context"
	"errors"
	"net/netip"
)

// Echo needs Linux.
func Echo(context.Context, netip.AddrPort) error { return errors.ErrUnsupported }
