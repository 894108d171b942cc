package lightdht_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// The round trip is from sending to reading, to the nanosecond.
func TestRTTIsExact(t *testing.T) {
	inLab(t, func(l *lab) {
		const there, back = 30*time.Millisecond + 7, 45*time.Millisecond + 4
		a := l.node(addrA, lightdht.Config{Conn4: slow{l.listen(addrA), there}})
		b := l.node(addrB, lightdht.Config{Conn4: slow{l.listen(addrB), back}})
		reply, err := a.Ping(l.ctx, at(addrB))
		if err != nil || reply.RTT != there+back {
			t.Errorf("the round trip is %v, want %v: %v", reply.RTT, there+back, err)
		}
		c, _ := a.Table(kad.IPv4).Get(kad.NodeInfo{ID: b.ID(), Addr: at(addrB)})
		if c.LastRTT != there+back {
			t.Errorf("the contact has %v", c.LastRTT)
		}
	})
}

func TestTimeoutIsExact(t *testing.T) {
	for _, timeout := range []time.Duration{0, time.Nanosecond, 700 * time.Millisecond, time.Hour} {
		inLab(t, func(l *lab) {
			a := l.node(addrA, lightdht.Config{Timeout: timeout})
			want := timeout
			if want == 0 {
				want = 5 * time.Second
			}
			began := time.Now()
			_, err := a.Ping(l.ctx, at(addrB))
			if took := time.Since(began); took != want || !errors.Is(err, lightdht.ErrTimeout) {
				t.Errorf("after %v: %v, want a time-out after %v", took, err, want)
			}
			l.counts(a, map[lightdht.Counter]uint64{lightdht.Timeouts: 1, lightdht.QueriesOut: 1})
		})
	}
}

// Calls sent at different times each have the whole of their time.
func TestTimeoutsOfManyCalls(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{Timeout: time.Second})
		b := l.peer(addrB, nil)
		took := make(chan time.Duration, 50)
		for i := range 50 {
			time.Sleep(30 * time.Millisecond)
			began := time.Now()
			a.Go(l.ctx, at(addrB), krpc.Ping{}, func(_ krpc.Reply, err error) {
				if (err == nil) != (i%7 == 0) {
					t.Errorf("call %d: %v", i, err)
				}
				if err != nil {
					took <- time.Since(began)
				}
			})
			if got := b.take(); i%7 == 0 {
				b.reply(&got[0], krpc.Message{})
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		close(took)
		for d := range took {
			if d != time.Second {
				t.Errorf("a call timed out after %v", d)
			}
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.Timeouts: 42, lightdht.RepliesIn: 8})
	})
}

// An answer in the last moment counts; one a moment later is late.
func TestAnswerInTheLastMoment(t *testing.T) {
	for _, c := range []struct {
		rtt  time.Duration
		want error
	}{{5*time.Second - 1, nil}, {5*time.Second + 1, lightdht.ErrTimeout}} {
		inLab(t, func(l *lab) {
			a := l.node(addrA, lightdht.Config{})
			l.peer(addrB, func(p *peer, q *packet) { time.AfterFunc(c.rtt, func() { p.reply(q, krpc.Message{}) }) })
			if _, err := a.Ping(l.ctx, at(addrB)); !errors.Is(err, c.want) {
				t.Errorf("after %v: %v", c.rtt, err)
			}
			time.Sleep(time.Second)
		})
	}
}

func TestContextEndsACallAtOnce(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		ctx, cancel := context.WithTimeout(l.ctx, 1234*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := a.Ping(ctx, at(addrB))
		if took := time.Since(began); took != 1234*time.Millisecond || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after %v: %v", took, err)
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.Timeouts: 0})
		if calls, late := a.Waiting(); calls != 0 || late != 1 {
			t.Errorf("%d calls wait and %d are remembered, want none and one", calls, late)
		}
	})
}

func TestTimeoutIsAFailureOfTheContact(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		info := kad.NodeInfo{ID: idOf("silent"), Addr: at(addrB)}
		know(a, info, now())
		for want := 1; want <= 3; want++ {
			l.heard(a)
			a.Ask(l.ctx, info, krpc.Ping{})
			l.heard(a)
			if c, _ := a.Table(kad.IPv4).Get(info); c.Failures != want || c.Replies != 1 {
				t.Errorf("after %d queries the contact is %+v", want, c)
			}
		}
	})
}

// A cancelled query says nothing about the contact.
func TestCancelIsNoFailureOfTheContact(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		info := kad.NodeInfo{ID: idOf("silent"), Addr: at(addrB)}
		know(a, info, now())
		ctx, cancel := context.WithTimeout(l.ctx, time.Second)
		defer cancel()
		a.Ask(ctx, info, krpc.Ping{})
		if c, _ := a.Table(kad.IPv4).Get(info); c.Failures != 0 {
			t.Errorf("the contact has %d failures", c.Failures)
		}
	})
}
