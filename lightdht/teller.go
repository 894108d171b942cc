package lightdht

import "sync"

// tellers are the goroutines that run callbacks. Each runs one at a time, and
// whoever takes one on sees that somebody else comes for the rest before it runs
// it, so no callback waits for another one to return. Those that are done go on
// with what has come meanwhile, or rest: a goroutine that starts anew has to grow
// its stack first, and to wake one costs more than most callbacks do.
type tellers struct {
	mu     sync.Mutex
	rested sync.Cond // of mu; somebody is to wake up
	queue  callQueue // whose callbacks nobody has taken on yet
	coming bool      // somebody is on the way to them
	idle   int       // rest
	closed bool
	wg     sync.WaitGroup // those that rest
}

// idleTellers is how many rest at most, each on some 8 kB of stack.
const idleTellers = 16

func newTellers() *tellers {
	t := &tellers{}
	t.rested.L = &t.mu
	return t
}

// tell has c's callback run. It does not wait for that.
func (t *tellers) tell(c *call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue.push(c)
	t.rouse()
}

// rouse has somebody come when there is something to do.
func (t *tellers) rouse() {
	switch {
	case t.coming || t.queue.head == nil:
		return
	case t.idle > 0:
		t.idle--
		t.rested.Signal()
	default:
		go t.run()
	}
	t.coming = true
}

// run runs callbacks until enough others rest.
func (t *tellers) run() {
	t.mu.Lock()
	for {
		t.coming = false
		for t.queue.head != nil {
			t.work()
		}
		if t.closed || t.idle >= idleTellers {
			break
		}
		t.rest()
	}
	t.mu.Unlock() // not deferred: a callback may end its goroutine, and nothing is locked then
}

// work takes one callback on, and is unlocked while it runs.
func (t *tellers) work() {
	c := t.queue.head
	t.queue.remove(c)
	t.rouse()
	t.mu.Unlock()
	c.callback(c.reply, c.err)
	c.release()
	t.mu.Lock()
}

// rest waits until there is something to do, or no more.
func (t *tellers) rest() {
	t.idle++
	t.wg.Add(1)
	t.rested.Wait()
	t.wg.Done()
}

// close ends those that rest, and lets nobody rest any more. Callbacks at work
// go on.
func (t *tellers) close() {
	t.mu.Lock()
	t.closed, t.idle = true, 0
	t.rested.Broadcast()
	t.mu.Unlock()
	t.wg.Wait()
}
