package lightdht

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

const (
	bootstrapTries = 4 // rounds over all places
	bootstrapPause = 5 // the pause after the first round is Timeout over this, 1 s by default; it doubles with each
)

// Bootstrap joins the network: it asks all addresses of all places in
// Config.Bootstrap and Config.Routers at once for nodes near our ID, again and
// again with growing pauses until one answers, then looks up our own ID. When
// all stay silent the error is a *[BootstrapError] that names each and why.
// With no place to begin with it asks whom it knows, and it is no error when
// nobody answers: others may find us. From the first call on, upkeep sees to it
// that the node stays, or becomes, a member (see UpkeepConfig).
func (n *Node) Bootstrap(ctx context.Context) error {
	n.joined.Store(true)
	n.calling.Add(1)
	defer n.stirUpkeep()
	defer n.calling.Add(-1)
	if err := n.introduce(ctx); err != nil {
		return err
	}
	_, err := n.find(ctx, n.ID(), LookupConfig{Purpose: "self"})
	if alone := errors.Is(err, ErrNoNodes) || errors.Is(err, ErrNoAnswer); alone && len(n.places()) == 0 {
		return nil
	}
	return err
}

// introduce asks the places to begin with until one has answered. Without any it
// does nothing. Whoever comes while another is at it waits for that.
func (n *Node) introduce(ctx context.Context) error {
	for {
		run, leads := n.introductions.join()
		if leads {
			run.err = n.introduceAll(ctx)
			run.void = ctx.Err() != nil
			n.introductions.leave(run)
			return run.err
		}
		select {
		case <-run.done:
			if !run.void { // else it ended for reasons of its own
				return run.err
			}
		case <-ctx.Done():
			return fmt.Errorf("bootstrap: %w", context.Cause(ctx))
		}
	}
}

// introductions lets one run at a time.
type introductions struct {
	mu  sync.Mutex
	run *introductionRun // that is under way
}

type introductionRun struct {
	done chan struct{} // closed when err and void are final
	err  error
	void bool // the context of the one who led it has ended
}

// join returns the run that is under way, or one that the caller is to lead.
func (i *introductions) join() (run *introductionRun, leads bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.run == nil {
		i.run = &introductionRun{done: make(chan struct{})}
		return i.run, true
	}
	return i.run, false
}

func (i *introductions) leave(run *introductionRun) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.run = nil
	close(run.done)
}

// introduceAll makes rounds over the places, with growing pauses.
func (n *Node) introduceAll(ctx context.Context) error {
	places := n.places()
	if len(places) == 0 {
		return nil
	}
	pause := n.cfg.Timeout / bootstrapPause
	for try := 1; ; try++ {
		failures, ok := n.introduceOnce(ctx, places)
		switch {
		case ok:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("bootstrap: %w", context.Cause(ctx))
		case n.ctx.Err() != nil:
			return ErrClosed
		case try == bootstrapTries || hopeless(failures):
			return &BootstrapError{Tried: failures, Tries: try}
		}
		n.cfg.Logger.Info("bootstrap: nobody answered", "try", try, "again_in", pause)
		if !n.sleep(ctx, pause) {
			continue // one of the contexts has ended
		}
		pause *= 2
	}
}

// errPlace is about a host:port that cannot be used, now or later.
type errPlace string

// Error says what is wrong with the place.
func (e errPlace) Error() string { return string(e) }

// hopeless reports whether trying again cannot help.
func hopeless(failures []BootstrapFailure) bool {
	for _, f := range failures {
		if _, ok := f.Err.(errPlace); !ok && !errors.Is(f.Err, ErrReserved) && !errors.Is(f.Err, ErrAddress) {
			return false
		}
	}
	return true
}

func (n *Node) sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-n.ctx.Done():
	}
	return false
}

// place is a host:port to begin with.
type place struct {
	host   string
	router bool
}

func (n *Node) places() []place {
	var all []place
	for _, host := range n.cfg.Bootstrap {
		all = append(all, place{host, false})
	}
	for _, host := range n.cfg.Routers {
		all = append(all, place{host, true})
	}
	return all
}

// resolve returns the addresses of host:port in the families that we have.
func (n *Node) resolve(ctx context.Context, hostport string) ([]netip.AddrPort, error) {
	host, portText, err := net.SplitHostPort(hostport)
	if err != nil {
		return nil, errPlace("want host:port")
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || port == 0 {
		return nil, errPlace("the port is a number from 1 to 65535")
	}
	ips, err := n.lookupHost(ctx, host)
	if err != nil {
		return nil, err
	}
	var addrs []netip.AddrPort
	for _, ip := range ips {
		if ip = ip.Unmap(); n.endpoint(kad.FamilyOf(ip)) != nil {
			addrs = append(addrs, netip.AddrPortFrom(ip, uint16(port)))
		}
	}
	if len(addrs) == 0 {
		return nil, errPlace("no address of a family that this node listens on")
	}
	return addrs, nil
}

func (n *Node) lookupHost(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	ips, err := n.cfg.Resolve(ctx, host)
	if dns := (*net.DNSError)(nil); errors.As(err, &dns) {
		if dns.IsNotFound {
			return nil, errPlace("no such host")
		}
		return nil, errors.New(dns.Err) // the place is named besides
	}
	return ips, err
}
