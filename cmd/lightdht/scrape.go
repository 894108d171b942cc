package main

import (
	"fmt"
	"math"

	"github.com/lightdht/lightdht/lightdht"
)

// scrapeColumns are the columns of a scraped swarm.
var scrapeColumns = []string{"infohash", "seeds", "seeds_se", "peers", "peers_se", "filters", "legacy", "overfull"}

// printScrape prints what a lookup tells of the size of a swarm; a line of text
// names the infohash when there are several.
func (s *session) printScrape(res *lightdht.LookupResult, several bool) error {
	r := res.Scrape()
	text := under(res.Target, several,
		counted(r.Seeds, r.SeedsErr, "seeds"), counted(r.Peers, r.PeersErr, "peers"), some(r.Nodes, "filter"))
	if r.Legacy > 0 {
		text = append(text, some(r.Legacy, "list")+" of peers alone")
	}
	if r.Overfull > 0 {
		text = append(text, some(r.Overfull, "filter")+" too full to count")
	}
	return s.out.addOr(text, res.Target,
		hundredth(r.Seeds), hundredth(r.SeedsErr), hundredth(r.Peers), hundredth(r.PeersErr), r.Nodes, r.Legacy, r.Overfull)
}

// counted says how many there are, and how sure that is.
func counted(n, se float64, what string) any { return fmt.Sprintf("%.1f ± %.1f %s", n, se, what) }

// hundredth rounds a number for a row; nil for one that is infinite.
func hundredth(x float64) any {
	if math.IsInf(x, 0) {
		return nil
	}
	return math.Round(100*x) / 100
}
