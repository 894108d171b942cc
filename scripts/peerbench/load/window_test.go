package load

import "testing"

func TestWindow(t *testing.T) {
	w := newWindow(3)
	if len(w.slots) != 4 {
		t.Fatalf("room for %d, want 4", len(w.slots))
	}
	numbers := map[uint32]bool{}
	for i := range 4 {
		n, ok := w.open(10)
		if !ok || numbers[n] {
			t.Fatalf("query %d: %d, %v", i, n, ok)
		}
		numbers[n] = true
	}
	if n, ok := w.open(10); ok {
		t.Fatalf("a fifth query, %d", n)
	}
	for n := range numbers {
		if took, ok := w.close(n, 15); !ok || took != 5 {
			t.Errorf("an answer after 5 took %d, %v", took, ok)
		}
		if _, ok := w.close(n, 16); ok {
			t.Error("an answer counts twice")
		}
		again, _ := w.open(20)
		if numbers[again] {
			t.Error("a number is used again")
		}
		if _, ok := w.close(n, 21); ok {
			t.Error("a late answer counts for the query after it")
		}
		break
	}
	if lost := w.expire(20); lost != 3 || w.waiting() != 1 {
		t.Errorf("%d lost and %d waiting, want 3 and 1", lost, w.waiting())
	}
}
