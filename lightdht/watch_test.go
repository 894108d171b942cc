package lightdht_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// watched is a context that knows who waits for its end.
type watched struct {
	context.Context
	watchers atomic.Int32
}

func (w *watched) AfterFunc(f func()) (stop func() bool) {
	w.watchers.Add(1)
	return func() bool { w.watchers.Add(-1); return true }
}

// Value hides the context inside, which would be asked instead.
func (w *watched) Value(any) any { return nil }

// A context that lives on keeps nothing of the calls that have ended: it is
// watched once for all of them, and no more when a while has passed or the node
// is closed.
func TestEndedCallsLeaveTheirContext(t *testing.T) {
	for _, addr := range []string{addrB, addrD} { // answered, timed out
		for _, closed := range []bool{false, true} {
			inLab(t, func(l *lab) {
				alive, cancel := context.WithCancel(l.ctx)
				defer cancel()
				ctx := &watched{Context: alive}
				a := l.node(addrA, lightdht.Config{})
				l.peer(addrB, func(p *peer, q *packet) { time.AfterFunc(time.Second, func() { answering(p, q) }) })
				for range 10 {
					a.Go(ctx, at(addr), krpc.Ping{}, func(krpc.Reply, error) {})
				}
				if n := ctx.watchers.Load(); n != 1 {
					t.Errorf("%d calls watch their context", n)
				}
				if closed {
					a.Close()
				} else {
					time.Sleep(time.Minute)
				}
				synctest.Wait()
				if n := ctx.watchers.Load(); n != 0 {
					t.Errorf("%d calls that have ended watch their context", n)
				}
			})
		}
	}
}

// Contexts that are used once and live on do not pile up.
func TestContextsThatLiveOnDoNotPileUp(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		l.peer(addrB, answering)
		var all []*watched
		for range 200 {
			alive, cancel := context.WithCancel(l.ctx)
			defer cancel()
			all = append(all, &watched{Context: alive})
			a.Go(all[len(all)-1], at(addrB), krpc.Ping{}, nil)
			synctest.Wait()
		}
		n := int32(0)
		for _, ctx := range all {
			n += ctx.watchers.Load()
		}
		if n > 20 {
			t.Errorf("%d contexts are watched, and no call waits", n)
		}
	})
}

// The end of a context ends its calls and no others, whatever they share.
func TestContextEndsItsCallsAlone(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		cause := errors.New("enough")
		one, end := context.WithCancelCause(l.ctx)
		other, cancel := context.WithCancel(l.ctx)
		defer cancel()
		var ended, lasting atomic.Int32
		for range 5 {
			a.Go(one, at(addrB), krpc.Ping{}, func(_ krpc.Reply, err error) {
				if ended.Add(1); !errors.Is(err, cause) {
					t.Errorf("the callback was told %v", err)
				}
			})
			for _, ctx := range []context.Context{other, context.Background()} {
				a.Go(ctx, at(addrB), krpc.Ping{}, func(_ krpc.Reply, err error) {
					if lasting.Add(1); !errors.Is(err, lightdht.ErrTimeout) {
						t.Errorf("a callback of another context was told %v", err)
					}
				})
			}
		}
		end(cause)
		synctest.Wait()
		if calls, late := a.Waiting(); ended.Load() != 5 || lasting.Load() != 0 || calls != 10 || late != 5 {
			t.Errorf("%d and %d calls ended, %d wait, %d are remembered", ended.Load(), lasting.Load(), calls, late)
		}
		a.Go(one, at(addrB), krpc.Ping{}, func(krpc.Reply, error) { ended.Add(1) })
		time.Sleep(time.Minute)
		synctest.Wait()
		if ended.Load() != 6 || lasting.Load() != 10 {
			t.Errorf("%d and %d calls ended", ended.Load(), lasting.Load())
		}
	})
}

// brief is a context that ends after its Err has said once that it has not, and
// never tells.
type brief struct {
	context.Context
	asked atomic.Int32
}

func (b *brief) Err() error {
	if b.asked.Add(1) > 1 {
		return context.Canceled
	}
	return nil
}

// Value hides the context inside, which would be asked instead.
func (b *brief) Value(any) any { return nil }

// A context that ends when its call is just about to wait ends it.
func TestContextEndsBeforeItsCallWaits(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		alive, cancel := context.WithCancel(l.ctx)
		defer cancel()
		if _, err := a.Ping(&brief{Context: alive}, at(addrB)); !errors.Is(err, context.Canceled) {
			t.Errorf("waited for: %v", err)
		}
		told := make(chan error, 1)
		a.Go(&brief{Context: alive}, at(addrB), krpc.Ping{}, func(_ krpc.Reply, err error) { told <- err })
		if err := <-told; !errors.Is(err, context.Canceled) {
			t.Errorf("called back: %v", err)
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.QueriesOut: 0})
	})
}
