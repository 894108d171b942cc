package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	extraLife   = 5 * time.Minute // that programs have beyond the soak, in case it dies
	vitalsEvery = 5 * time.Second
	lookEvery   = 100 * time.Millisecond // between two commands to libtorrent
	rotateEvery = 10                     // minutes
	sought      = 100                    // infohashes that libtorrent looks for and announces
)

// soak is a node under a steady load.
type soak struct {
	*lab
	lasts  time.Duration
	rate   int // queries per second
	node   *loaded
	askers *askers
	before tally     // a minute ago
	vitals vitals    // a minute ago
	at     time.Time // when that was
	logged logged
	told   int    // commands to libtorrent
	lost   uint64 // packets that the system dropped at the askers

	mu   sync.Mutex // guards what follows
	life []sample
}

// sample is the vitals of the node at some time after the load began.
type sample struct {
	at time.Duration
	vitals
}

// runSoak soaks for a time and returns the exit status. It is told the folder
// of lightdht, the time, and queries per second.
func runSoak(args []string) int {
	defer os.RemoveAll(args[0])
	lasts, err := time.ParseDuration(args[1])
	rate, rateErr := strconv.Atoi(args[2])
	if err != nil || rateErr != nil || lasts < time.Minute || rate < 1 || rate > 100_000 {
		fmt.Fprintf(os.Stderr, "soak: %s and %s queries per second: want a time of a minute or more, such as 1h, and 1 to 100000\n", args[1], args[2])
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := &soak{
		lab: &lab{dir: args[0], dumps: map[string][]row{}}, lasts: lasts, rate: rate,
		logged: logged{by: map[asking]uint64{}}, before: tally{asked: map[string]uint64{}},
	}
	defer s.end()
	if err := s.run(ctx); err != nil {
		fmt.Printf("FAIL %s\n", oneLine(err.Error()))
		return 1
	}
	if s.checkAll(context.Background(), s.verdict()) {
		return 0
	}
	return 1
}

// end ends whatever still runs.
func (s *soak) end() {
	if s.node != nil {
		s.node.end()
	}
	s.lab.end()
}

// run soaks, and ends the node. Interrupted, it does so sooner.
func (s *soak) run(ctx context.Context) error {
	if err := within(ctx, s.begin); err != nil {
		return err
	}
	load, rest := context.WithTimeout(ctx, s.lasts)
	defer rest()
	s.at = time.Now()
	began := s.at
	var beside sync.WaitGroup
	beside.Go(func() { s.measure(load, began) })
	beside.Go(func() { s.keepLooking(load) })
	fmt.Printf("soak of %s, %d libtorrent sessions and %d askers with %d queries/s, process %d\n", s.lasts, sessions, askersCount, s.rate, s.node.cmd.Process.Pid)
	for minute := 1; load.Err() == nil; minute++ {
		if err := s.minute(load, minute); err != nil {
			return err
		}
	}
	beside.Wait()
	return s.finish()
}

// begin starts everything.
func (s *soak) begin(ctx context.Context) (err error) {
	if err := s.isolated(ctx); err != nil {
		return err
	}
	if err := s.startSwarmFor(ctx, s.lasts+extraLife, ownSession); err != nil {
		return fmt.Errorf("libtorrent: %w", err)
	}
	if s.node, err = startLoaded(ctx, s.lab, s.lasts); err != nil {
		return fmt.Errorf("the node: %w", err)
	}
	if err := s.swarm.tell("addnode %s", s.node.addr); err != nil {
		return err
	}
	s.askers, err = startAskers(s.node.addr, s.rate)
	return err
}

// minute waits for the node's next line of status and prints ours, unless the
// soak is over before.
func (s *soak) minute(ctx context.Context, minute int) error {
	wait, cancel := context.WithTimeoutCause(ctx, 3*statusEvery, errors.New("no line of status"))
	defer cancel()
	st, err := s.node.nextStatus(wait)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the node: %w", err)
	}
	v, err := readVitals(s.node.cmd.Process.Pid)
	if err != nil {
		return err
	}
	if err := s.tell(minute, st, v); err != nil {
		return err
	}
	if minute%rotateEvery != 1 {
		return nil
	}
	return within(context.WithoutCancel(ctx), func(ctx context.Context) error { return s.node.rotate(ctx, &s.logged) })
}

// tell prints the line of a minute.
func (s *soak) tell(minute int, st status, v vitals) error {
	kernel, err := s.nodeDrops()
	if err != nil {
		return err
	}
	now, t := time.Now(), s.askers.tally()
	seconds := now.Sub(s.at).Seconds()
	per := func(now, before uint64) float64 { return float64(now-before) / seconds }
	p50, p99, most := quantiles(t.took)
	fmt.Printf("minute %3d  RSS %.1f MB  cpu %.0f%%  threads %d  fds %d  contacts %.0f  queries %.0f", minute,
		v.rss, 100*(v.cpu-s.vitals.cpu).Seconds()/seconds, v.threads, v.files, st.contacts, st.queries)
	fmt.Printf("  asked %.0f/s  answers %.0f/s", per(t.total(), s.before.total()), per(t.answered, s.before.answered))
	fmt.Printf("  drops %.0f  kernel %d  rtt p50 %s p99 %s max %s  unanswered %d (late %d)\n",
		st.drops, kernel, round(p50), round(p99), round(most), t.unanswered, t.late)
	s.at, s.before, s.vitals = now, t, v
	return nil
}

// nodeDrops returns how many packets the system dropped before the node could
// read them.
func (s *soak) nodeDrops() (int, error) {
	return socketDrops(func(addr netip.AddrPort) bool { return addr == s.node.addr })
}

// askersDrops returns the same for the askers.
func askersDrops() (uint64, error) {
	n, err := socketDrops(func(addr netip.AddrPort) bool { return addr.Port() == askerPort })
	return uint64(n), err
}

// quantiles returns the median, the 99th hundredth and the greatest of some
// durations, which it sorts.
func quantiles(all []time.Duration) (p50, p99, most time.Duration) {
	if len(all) == 0 {
		return 0, 0, 0
	}
	slices.Sort(all)
	last := len(all) - 1
	return all[last/2], all[last*99/100], all[last]
}

// round rounds to three digits or so.
func round(d time.Duration) time.Duration {
	if d > 10*time.Millisecond {
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(time.Microsecond)
}

// finish ends the load and then the node, as Ctrl-C does, and counts the last
// rows of its query log.
func (s *soak) finish() error {
	s.askers.rest()
	patient, cancel := context.WithTimeout(context.Background(), patience+time.Second)
	defer cancel()
	until(patient, func() (bool, error) { return s.askers.tally().waiting == 0, nil }) // or they are unanswered
	kernel, err := s.nodeDrops()
	if err != nil {
		return err
	}
	if kernel > 0 {
		fmt.Printf("the system dropped %d packets at the node's socket\n", kernel)
	}
	if err := s.node.end(); err != nil {
		return err
	}
	if s.lost, err = askersDrops(); err != nil {
		return err
	}
	s.askers.close()
	return s.logged.add(s.node.queries)
}
