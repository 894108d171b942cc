package analysis

// Interval is a confidence interval.
type Interval struct {
	Lo, Hi float64 // in the unit of what it is about
	Level  float64 // how often such an interval holds the truth: 0.95 for 95 %; 0: there is none
	Method string  // how it was found, as in "Clopper-Pearson"
}
