package main

import (
	"math"
	"testing"
	"unicode/utf8"
)

func TestFigureLine(t *testing.T) {
	f := figure{"Observe known, 2 + 2 at once", 10_500_000, 123456, "ns", 0.123456, "elapsed / ops of both writers"}
	want := "prefix Observe known, 2 + 2 at once of 10.5 M      123 µs 0.12 allocs  elapsed / ops of both writers"
	if got := f.line("prefix"); got != want || utf8.RuneCountInString(got) > 100 {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, tt := range []struct {
		f    figure
		want string
	}{
		{figure{value: 0.512, unit: "ns"}, "0.51 ns"},
		{figure{value: 999.6, unit: "ns"}, "1.00 µs"},
		{figure{value: 12_345_678, unit: "ns"}, "12.3 ms"},
		{figure{value: 1.5, unit: "ms"}, "1.50 ms"},
		{figure{value: 107.82, unit: "bytes"}, "107.8 bytes"},
		{figure{value: 3.333, unit: "ratio"}, "3.33 : 1"},
	} {
		if got := tt.f.valueText(); got != tt.want {
			t.Errorf("%v %s: got %q, want %q", tt.f.value, tt.f.unit, got, tt.want)
		}
	}
}

func TestAmount(t *testing.T) {
	for n, want := range map[int]string{
		0: "0", 2000: "2000", 10_999: "10 k", 999_999: "999 k", 1_000_000: "1 M", 3_299_000: "3.29 M", 10_000_000: "10 M",
		10_550_000: "10.5 M", 110_000_000: "110 M", 1_100_000_000: "1100 M",
	} {
		if got := amount(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}

func TestQuantile(t *testing.T) {
	values := []float64{9, 1, 4, 2, 3}
	if got := median(values); got != 3 {
		t.Errorf("median %v, want 3", got)
	}
	if got := quantile([]float64{1, 2}, 0.25); got != 1.25 {
		t.Errorf("quarter %v, want 1.25", got)
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("median of none %v", got)
	}
}
