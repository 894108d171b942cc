// Command interop checks lightdht against libtorrent and Transmission on the
// wire. The script run beside it builds both of ours and starts this one where
// only loopback exists.
//
//	interop DIR [transmission]
//	interop crowd HOST:PORT…
//	interop soak DIR DURATION RATE
//
// DIR holds the program lightdht. The captures and what Transmission writes go
// there too, and it is removed at the end. Without the second word Transmission
// is left out. A crowd is nodes of ours, which the checks start. A soak keeps a node
// under load: see the script soak.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	runLimit   = 150 * time.Second // for the whole run
	checkLimit = 25 * time.Second  // for one check
)

func main() {
	args := os.Args[1:]
	switch {
	case len(args) > 1 && args[0] == "crowd":
		os.Exit(crowd(args[1:]))
	case len(args) == 4 && args[0] == "soak":
		os.Exit(runSoak(args[1:]))
	case len(args) == 1 && args[0] != "soak", len(args) == 2 && args[1] == "transmission":
		os.Exit(run(args[0], len(args) == 2))
	}
	fmt.Fprintln(os.Stderr, "interop: want the folder that holds lightdht: use scripts/interop/run")
	os.Exit(2)
}

// run does all checks, those with Transmission if so wanted, and returns the exit
// status.
func run(dir string, transmission bool) int {
	defer os.RemoveAll(dir)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, runLimit, errors.New("the run took too long"))
	defer cancel()
	lab := &lab{dir: dir, dumps: map[string][]row{}}
	defer lab.end()
	if lab.checkAll(ctx, checks(lab, transmission)) {
		return 0
	}
	return 1
}

// check is one thing that is to hold.
type check struct {
	name  string
	vital bool // without it the rest makes no sense
	run   func(context.Context) error
}

// checks are all of them, in the order they are run in. Transmission is started
// first and looked at late: it takes up to a minute to announce. The linter comes
// last, when all is over.
func checks(l *lab, transmission bool) []check {
	all := []check{
		{"isolation: loopback is all there is", true, l.isolated},
		{"capture: tcpdump listens on loopback", true, l.startCapture},
	}
	if transmission {
		all = append(all, meetingBegins(l)...)
	}
	all = append(all, swarmChecks(l)...)
	if transmission {
		all = append(all, meetingChecks(l)...)
	}
	return append(all, check{"capture: the linter finds no problem in any packet", false, l.lint})
}

// swarmChecks are those with libtorrent. It announces before our commands come
// and go: a lookup of its waits 15 s for each node that is gone.
func swarmChecks(l *lab) []check {
	return []check{
		{fmt.Sprintf("swarm: %d libtorrent sessions know each other", sessions), true, l.startSwarm},

		{"server: a node of ours listens", true, l.startServer},
		{"server: every session has it in its routing table", false, l.serverKnown},
		{"server: keeps the peer that libtorrent announced there", false, l.serverStores},
		{"swarm: takes the peers that libtorrent announces", false, l.libtorrentAnnounces},

		{"ping: every session answers with its ID", false, l.pingsAll},
		{"lookup --table flat: the true closest 8 of each target", false, l.looksUp("flat")},
		{"lookup --table prefix: the true closest 8 of each target", false, l.looksUp("prefix")},

		{"probe --table flat: the peer that libtorrent announced", false, l.probeFinds("flat")},
		{"probe --table prefix: the peer that libtorrent announced", false, l.probeFinds("prefix")},
		{"probe --scrape: libtorrent's filters count the peer that it announced", false, l.scrapeCounts},
		{"sample_infohashes: libtorrent tells what was announced to it", false, l.libtorrentSamples},
		{"announce --port: libtorrent finds our peer", false, l.libtorrentFinds("announce", "--port", "7001")},
		{"announce: libtorrent finds our peer at the port of the socket", false, l.libtorrentFindsSocket},
		{"probe --announce: libtorrent finds our peer", false, l.libtorrentFinds("probe", "--announce", "7001")},

		{"dump --format csv: every session, with round trip and version", false, l.dumpsAll("csv")},
		{"dump --format ndjson: every session, with round trip and version", false, l.dumpsAll("ndjson")},
		{"dump: csv and ndjson agree", false, l.dumpsAgree},

		{"server: answers hand-written queries as it should", false, l.serverAnswers},
		{"server: tells libtorrent its infohashes", false, l.serverSamples},
		{"server: every session has asked it", false, l.serverAsked},
	}
}

// meetingBegins are the checks that start Transmission and ours for it to meet.
func meetingBegins(l *lab) []check {
	return []check{
		{"lan: tcpdump listens on a bridge that leads nowhere else", true, l.startLAN},
		{"lan: a node of ours listens, Transmission has it in its dht.dat", true, l.startFinder},
		{fmt.Sprintf("lan: %d nodes of ours listen, another Transmission has them in its dht.dat", crowdSize), true, l.startAnnouncer},
	}
}

// meetingChecks are the checks of what came of that. The three in the middle
// share the time that Transmission takes.
func meetingChecks(l *lab) []check {
	return []check{
		{"dump: Transmission found our node, asked it and answered it", false, l.transmissionFinds},
		{"transmission: knows enough of us to announce", false, l.transmissionBegins},
		{"announce --port: Transmission finds our peer", false, l.transmissionLearns},
		{"transmission: announces to us", false, l.transmissionAnnounces},
		{"probe --table flat: our peer and the one that Transmission announced", false, l.findsTransmission("flat")},
		{"probe --table prefix: our peer and the one that Transmission announced", false, l.findsTransmission("prefix")},
		{"ping: each Transmission answers with its ID", false, l.pingsTransmission},
		{"lan: the linter finds no problem in any packet", false, l.lintLAN},
	}
}

// checkAll runs the checks one after another, prints a line for each and the
// sums. It reports whether all passed.
func (l *lab) checkAll(ctx context.Context, all []check) bool {
	passed, failed := 0, 0
	for _, c := range all {
		began := time.Now()
		l.note = ""
		err := within(ctx, c.run)
		took := time.Since(began).Round(time.Millisecond)
		if err == nil {
			passed++
			fmt.Printf("ok   %s (%s%s)\n", c.name, took, l.note)
			continue
		}
		failed++
		fmt.Printf("FAIL %s (%s): %s\n", c.name, took, oneLine(err.Error()))
		if c.vital || ctx.Err() != nil {
			break
		}
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	return failed == 0
}

// within runs f, which has to be done in time.
func within(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, checkLimit, fmt.Errorf("not done after %s", checkLimit))
	defer cancel()
	return f(ctx)
}
