package main

import (
	"net/netip"
	"sync"
	"time"
)

const (
	askersCount = 16               // each at an address of its own
	askerPort   = 7010             // of all of them
	patience    = 10 * time.Second // a query that has waited longer counts as unanswered
	topics      = 32               // infohashes that the askers ask for and announce
)

// askers put queries to a node at a steady rate. What they ask for is the same
// all the time, and so are they: nothing that the node keeps has to grow.
type askers struct {
	all  []*asker
	stop chan struct{}
	done sync.WaitGroup
}

// apart is the time between the first queries of two askers: a node has only so
// many pings to newcomers under way at once.
const apart = 100 * time.Millisecond

// startAskers starts askers that put so many queries per second in all.
func startAskers(node netip.AddrPort, rate int) (*askers, error) {
	a := &askers{stop: make(chan struct{})}
	for i := range askersCount {
		one, err := newAsker(i, node)
		if err != nil {
			a.close()
			return nil, err
		}
		a.all = append(a.all, one)
	}
	every := time.Second * askersCount / time.Duration(rate)
	for i, one := range a.all {
		first := time.Duration(i) * (apart + every/askersCount)
		a.done.Go(func() { one.ask(a.stop, first, every) })
	}
	return a, nil
}

// rest ends the asking. The askers still listen and answer.
func (a *askers) rest() {
	close(a.stop)
	a.done.Wait()
}

// close closes the sockets, once what has arrived has been read.
func (a *askers) close() {
	for _, one := range a.all {
		one.conn.SetReadDeadline(time.Now().Add(time.Second))
		<-one.closed
		one.conn.Close()
	}
}

// tally is what became of queries.
type tally struct {
	asked      map[string]uint64 // by method
	answered   uint64
	errors     uint64 // of answered
	waiting    uint64 // not answered yet, but there is time
	unanswered uint64
	late       uint64          // of unanswered: that were answered after all
	served     uint64          // queries of the node that an asker answered
	took       []time.Duration // round trips, those since the last tally
}

func (t *tally) add(u tally) {
	for method, n := range u.asked {
		t.asked[method] += n
	}
	t.answered += u.answered
	t.errors += u.errors
	t.waiting += u.waiting
	t.unanswered += u.unanswered
	t.late += u.late
	t.served += u.served
	t.took = append(t.took, u.took...)
}

// total returns how many queries were put.
func (t *tally) total() (n uint64) {
	for _, m := range t.asked {
		n += m
	}
	return n
}

// tally returns the sums since the start.
func (a *askers) tally() tally {
	sum := tally{asked: map[string]uint64{}}
	for _, one := range a.all {
		sum.add(one.tally())
	}
	return sum
}
