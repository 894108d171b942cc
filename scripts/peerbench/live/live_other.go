//go:build !linux

package live

import (
	"context"
	"errors"
	"io"
)

// ServeCommand is the argument with which this program is package server's.
const ServeCommand = "serve"

// peer is a server to measure.
type peer struct{ name string }

func (peer) why() string { return "the generator needs Linux" }

func peers(Config) []peer { return []peer{{"lightdht"}, {"others"}} }

func measure(context.Context, Config, peer) (measured, error) {
	return measured{}, errors.ErrUnsupported
}

// Isolate does nothing: there are no namespaces.
func Isolate(context.Context, []string, io.Writer, io.Writer) (status int, done bool) {
	return 0, false
}
