package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

// measure reads the vitals of the node again and again.
func (s *soak) measure(ctx context.Context, began time.Time) {
	tick := time.NewTicker(vitalsEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if v, err := readVitals(s.node.cmd.Process.Pid); err == nil {
			s.mu.Lock()
			s.life = append(s.life, sample{time.Since(began), v})
			s.mu.Unlock()
		}
	}
}

// keepLooking gives one session after another something to look for or to
// announce. Each announces for the same few infohashes all the time.
func (s *soak) keepLooking(ctx context.Context) {
	random := rand.New(rand.NewPCG(1, 0))
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		session := i % sessions
		infohash := hashOf("sought " + strconv.Itoa(random.IntN(sought)))
		command := fmt.Sprintf("@%d get %s", session, infohash)
		switch i / sessions % 5 {
		case 1:
			mine := session*sought/sessions + random.IntN(4)
			command = fmt.Sprintf("@%d announce %s", session, hashOf("sought "+strconv.Itoa(mine)))
		case 2:
			command = fmt.Sprintf("@%d sample %s %s", session, s.node.addr, infohash)
		}
		if s.swarm.tell("%s", command) != nil {
			return // it has ended, which the verdict says
		}
		s.told++
	}
}
