package lightdht

import (
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/lightdht/lightdht/lightdht/krpc"
)

// told has each of these callbacks run by tellers.
func told(t *tellers, callbacks ...func()) {
	for _, f := range callbacks {
		t.tell(&call{callback: func(krpc.Reply, error) { f() }})
	}
}

// However many callbacks block, the next one runs, and when they return few of
// their goroutines stay.
func TestBlockedCallbacksDoNotStopOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 10 * idleTellers
		tellers := newTellers()
		var runs atomic.Int32
		for round := range 3 {
			open := make(chan struct{})
			told(tellers, slices.Repeat([]func(){func() { runs.Add(1); <-open }}, many)...)
			synctest.Wait()
			if want := int32(many * (2*round + 1)); runs.Load() != want {
				t.Fatalf("%d callbacks ran, want %d", runs.Load(), want)
			}
			close(open)
			told(tellers, slices.Repeat([]func(){func() { runs.Add(1) }}, many)...)
			synctest.Wait()
			if want := int32(many * (2*round + 2)); runs.Load() != want || tellers.idle != idleTellers {
				t.Fatalf("%d callbacks ran, want %d; %d goroutines rest", runs.Load(), want, tellers.idle)
			}
		}
		tellers.close()
		told(tellers, func() { runs.Add(1) })
		synctest.Wait()
		if runs.Load() != many*6+1 || tellers.idle != 0 {
			t.Errorf("%d callbacks ran; after close %d goroutines rest", runs.Load(), tellers.idle)
		}
	})
}

// Goroutines that rest are used again.
func TestTellersAreUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tellers := newTellers()
		defer tellers.close()
		for range 100 {
			told(tellers, func() {})
			synctest.Wait()
		}
		if tellers.idle != 1 {
			t.Errorf("%d goroutines ran callbacks that came one after the other", tellers.idle)
		}
	})
}

// A callback that ends its goroutine, as a failed test does, takes nobody along.
func TestCallbackMayEndItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tellers := newTellers()
		defer tellers.close()
		var runs atomic.Int32
		for range 10 {
			told(tellers, runtime.Goexit, func() { runs.Add(1) }, runtime.Goexit)
		}
		synctest.Wait()
		if runs.Load() != 10 {
			t.Errorf("%d callbacks ran, want 10", runs.Load())
		}
	})
}
