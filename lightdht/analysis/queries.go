package analysis

import (
	"iter"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Query is a query that was received, as it is counted here.
type Query struct {
	Time     time.Time
	Node     kad.NodeInfo // who asked; with the zero ID when it told none
	Method   string
	Client   string // client code by BEP 20; "" when none was told
	Target   kad.ID // what it was about; zero when it was about nothing
	Infohash bool   // Target is the name of content, or a hash of that
	ReadOnly bool   // it was marked read-only (BEP 43)
}

// Traffic is what the queries received consist of.
type Traffic struct {
	Queries     int
	First, Last time.Time
	Rate        Number // queries an hour
	ReadOnly    Share  // of queries

	Methods, Clients, Families QueryClasses

	Askers     [2]Askers // ByID and ByAddress
	Anonymous  int       // queries that told no ID
	Infohashes Popularity
}

// QueryClasses is how queries spread over classes.
type QueryClasses struct {
	Distinct int // classes, unknown not among them
	Classes  []QueryClass
}

// QueryClass is a class of queries.
type QueryClass struct {
	Name    string
	Queries Share // of all queries
	Askers  Share // of all addresses that asked anything: that asked one of these
}

// Askers are those who asked.
type Askers struct {
	Distinct  int
	Quantiles []AskerQuantile // of queries by asker
	Most      int             // queries of the busiest
	TopTen    Share           // of the queries: by the ten that asked most
}

// AskerQuantile is a quantile of one counting.
type AskerQuantile struct {
	P  float64
	At Number
}

// Popularity is how often the names of content were asked for.
type Popularity struct {
	Queries  int // that were about content
	Distinct int // names
	Top      []Popular
	Ranks    []RankCount // for a plot: by popularity, some hundred at most
	TopShare Share       // of Queries: about the most popular hundredth of names
	Exponent Number      // of the power law of queries by name; Value NaN: too few
}

// Popular is one name of content.
type Popular struct {
	Infohash kad.ID
	Queries  Share
}

// RankCount is how many queries the name of a rank had.
type RankCount struct{ Rank, Queries int }

// CountQueries counts queries, which may come in any order.
func CountQueries(queries iter.Seq2[*Query, error], top int) (*Traffic, error) { return nil, nil }
