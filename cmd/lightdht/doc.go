// Command lightdht asks the BitTorrent mainline DHT, and a built-in test network,
// what a researcher wants to know.
//
// Data goes to stdout, what happened goes to stderr. It exits with 0 when it did
// what was asked, with 1 when it could not, with 2 when it was asked wrongly.
//
// The commands that ask (probe, ping, lookup, announce, node) keep what they learn
// in a store, dump hands that over, stats and plot say what it means. "lightdht
// --help" names all of them, the README what they are for.
//
// # Statistics
//
// Each says what it rests on, what it left out, and how each number and its
// interval was found. These are of the sample data set, a network of 2,000 nodes
// of which 30 % of the contacts are dead, in whose ID space somebody has put 16
// nodes into one zone.
//
// How many nodes are there?
//
//	$ lightdht stats size datasets/sample/lookups.csv.gz
//	…
//	lookups     ipv4: 100 of random targets, the 8 closest of each, width 32; 5,130 nodes asked, 27.6 % had not answered when their lookup ended
//	…
//	left out    nothing
//	refused     deepest bucket: our ID and our good contacts are not known here, as they are with --live and from a store
//
//	NETWORK SIZE, IPV4
//	pooled is the one to report: its interval is exact, of chance alone. What lookups miss makes all low but pooled over recall.
//	n = 100
//	                      nodes   95 % interval  method
//	  pooled              1,904  1,776 to 2,041  maximum likelihood, exact chi-square
//	  pooled over recall  1,958  1,823 to 2,242  the same, with what lookups missed; approximate
//	  least squares       1,895  1,780 to 2,018  Sohl; jackknife, approximate
//	  median gap          1,920  1,745 to 2,111  mldht, 4.5 % high; Student's t, approximate
//
//	RECALL, IPV4
//	share of the true closest 8 that the lookups found, from 32 targets looked up again, twice as wide
//	                   share   95 % interval    n  method
//	  of the closest  97.2 %  86.6 to 99.0 %  254  Clopper-Pearson over the design effect
//
// Are the IDs as chance makes them, and where are they not?
//
//	$ lightdht stats ids datasets/sample/contacts.csv.gz
//	…
//	counted     1,827 IDs at 1,567 addresses, in 1,827 contacts
//	left out    752 contacts that never answered: --all counts them
//	chance 1    one node per address: each of 1,827 IDs is a random point
//	chance 2    BEP 42: the allowed IDs of one address that share 21 bits are one cell: each of 1,807 cells is a random point
//	…
//	UNIFORM?
//	p: how often chance makes a number as large, each by itself: of 20 tests one is below 0.05 by chance.
//	Where there is df, p is that of chi-square. Dispersion: variance over mean of the zones' counts, 1 by chance.
//	                                one node per address (n = 1,827)                          BEP 42 (n = 1,807)
//	                        value     95 % interval      df        p     value      95 % interval      df      p  method
//	  whole space         0.02367                              0.254  0.025053                             0.203  Kolmogorov-Smirnov
//	  4 bits               22.633                        15    0.092    22.871                         15  0.087  Pearson
//	  8 bits               304.37                       255    0.018    292.71                        255  0.052  Pearson
//	  4 bits, G            23.169                    14.997    0.081    23.369                     14.997  0.077  G test, scaled
//	  8 bits, G            292.43                    251.02    0.037    281.87                     250.89  0.087  G test, scaled
//	  gaps                  2,255                     1,827  1.9e-11     1,974                      1,807  0.003  Moran, scaled
//	  8 bits, dispersion   1.1936  1.0108 to 1.4312                     1.1479  0.97205 to 1.3764                 chi-square
//	…
//	CROWDED ZONES, BEP 42
//	Page's CUSUM at depths 1 to 64, binomial tail, Bonferroni over stretches and depths, Benjamini-Hochberg over zones at 5 %
//	found: CUSUM, Benjamini-Hochberg
//	               found (n = 1,807)  chance  addresses
//	          count   times        p   count      count
//	  all         1
//	  d8c/10     19  10.767  9.1e-09  1.7646          5
//	…
//	IDS THAT BEP 42 ALLOWS AT THEIR ADDRESS
//	Counted: pairs of ID and IP address.
//	intervals: Clopper-Pearson
//	                         count       share   95 % interval      n
//	  ipv4                   1,285      70.3 %  68.2 to 72.4 %  1,827
//	  ipv4 LT                  897      98.8 %  97.8 to 99.4 %    908
//	  ipv4 UT                  388      99.5 %  98.2 to 99.9 %    390
//	  ipv4 JC                    0         0 %     0 to 1.54 %    237
//	…
//	HOW MANY EACH HAS
//	A full count of the sample, not an estimate: no intervals.
//	          IDs per IP address (n = 1,567)  addresses per ID (n = 1,827)  IDs per IPv4 /24 (n = 494)
//	          count                    share  count                  share  count                share
//	  1       1,523                   97.2 %  1,827                  100 %     80               16.2 %
//	  2           8                   0.51 %                                  100               20.2 %
//	  3-4         2                   0.13 %                                  196               39.7 %
//	  5-8        30                   1.91 %                                   98               19.8 %
//	  9-16                                                                     18               3.64 %
//	  17-32       4                   0.26 %                                    1               0.20 %
//	…
//
// Who is there?
//
//	$ lightdht stats nodes datasets/sample/contacts.csv.gz
//	…
//	counted     1,827 IDs, 1,567 addresses; of 2,579 contacts, 1,827 answered
//	left out    752 contacts never answered: counted among states alone; --all counts them everywhere
//	…
//	STATES, AND WHO ANSWERED
//	                                                                                               by ID                                                               by address
//	                             count   share   95 % interval      n  method                             count   share   95 % interval      n  method
//	  good                       1,827  70.8 %  68.0 to 73.6 %  2,579  Clopper-Pearson, effective number  1,567  68.1 %  66.1 to 70.0 %  2,302  Clopper-Pearson
//	  bad                          543  21.1 %  18.6 to 23.6 %  2,579  Clopper-Pearson, effective number    531  23.1 %  21.4 to 24.8 %  2,302  Clopper-Pearson
//	  questionable                 209  8.10 %  6.54 to 9.90 %  2,579  Clopper-Pearson, effective number    204  8.86 %  7.73 to 10.1 %  2,302  Clopper-Pearson
//	  answered, of those asked   1,827  71.5 %  68.7 to 74.2 %  2,554  Clopper-Pearson, effective number  1,567  68.8 %  66.8 to 70.7 %  2,279  Clopper-Pearson
//	  answered, of queries sent  8,320  73.1 %  70.1 to 76.1 %  2,554  Clopper-Pearson, effective number  8,320  73.1 %  70.1 to 76.1 %  2,279  Clopper-Pearson, effective number
//	…
//	ROUND TRIPS
//	Of the last answer of each. Where they are too few for both ends of an interval it has one, or there is none.
//	intervals by ID: order statistics, effective number
//	intervals by address: order statistics
//	                       by ID (n = 1,827)          by address (n = 1,567)
//	             value         95 % interval     value         95 % interval
//	  5 %      38.61ms    34.43ms to 42.94ms   38.64ms    35.33ms to 41.28ms
//	  25 %     69.41ms     64.7ms to 73.54ms   68.96ms    65.86ms to 71.23ms
//	  median  101.66ms   96.06ms to 109.12ms  101.02ms    97.6ms to 105.92ms
//	  75 %    153.79ms   144.9ms to 164.48ms  153.79ms  147.46ms to 160.38ms
//	  90 %    223.81ms   202.5ms to 243.33ms  223.68ms   205.7ms to 237.44ms
//	  95 %    270.98ms  253.95ms to 301.06ms  270.98ms  259.46ms to 288.51ms
//	  99 %    407.94ms   344.32ms to 580.1ms  420.22ms  358.66ms to 473.09ms
//	…
//	CLIENTS
//	                                                                                       by ID (n = 1,827)                                                       by address (n = 1,567)
//	           count   share   95 % interval  method                                                          count   share   95 % interval  method
//	  LT         908  49.7 %  44.6 to 54.8 %  Clopper-Pearson, effective number, simultaneous over 4 classes    824  52.6 %  49.4 to 55.8 %  Clopper-Pearson, simultaneous over 4 classes
//	  UT         390  21.3 %  17.4 to 25.7 %  Clopper-Pearson, effective number, simultaneous over 4 classes    355  22.7 %  20.1 to 25.4 %  Clopper-Pearson, simultaneous over 4 classes
//	  JC         237  13.0 %  7.29 to 20.7 %  Clopper-Pearson, effective number, simultaneous over 4 classes    125  7.98 %  6.36 to 9.84 %  Clopper-Pearson, simultaneous over 4 classes
//	  ml          93  5.09 %  3.14 to 7.72 %  Clopper-Pearson, effective number, simultaneous over 4 classes     85  5.42 %  4.09 to 7.02 %  Clopper-Pearson, simultaneous over 4 classes
//	  unknown    199  10.9 %  8.55 to 13.6 %  Clopper-Pearson, effective number                                 178  11.4 %  9.83 to 13.0 %  Clopper-Pearson
//	…
//	HOW MANY, AND HOW CONCENTRATED
//	Over those that are known. HHI: the chance that two are of one. Nakamoto: the fewest that have more than half.
//	…
//
// Has somebody gathered around a target? The 8 nodes closest to it are held to how
// far away chance would put them in a network of the measured size.
//
//	$ lightdht stats sybil --file datasets/sample/lookups.csv.gz 08e4b2f8a721403502ee0bac1470fab6a1e27041
//	…
//	size        ipv4: 1904 (95 % interval 1776 to 2041, pooled over 100 lookups)
//	crowded     none of 1 target, at 1.00 % false alarms (by the scan, Benjamini-Hochberg over the targets)
//	…
//	NODES AROUND TARGETS, IPV4
//	scan finds a few sybils, gamma as many as there are places; KL is what others publish, recalibrated. p: how often chance does as much.
//	scan: least Gamma probability of the j closest, exact
//	gamma: Gamma probability of the 8th, exact
//	KL: divergence of common prefix lengths, exact
//	n = 8
//	                                                      scan           gamma              KL
//	                                              value      p    value      p     nats      p
//	  08e4b2f8a721403502ee0bac1470fab6a1e27041  0.83854  0.972  0.94015  0.940  0.72811  0.198
//
// Who asked us for what? These queries are made up.
//
//	$ lightdht stats queries queries.csv
//	…
//	counted     2,000 queries from 278 IDs at 279 addresses
//	time        2026-11-20 12:00:00 to 2026-11-20 12:33:19 UTC, 33m19s
//	no ID       13 queries told none: not among those who asked by ID
//	…
//	METHODS
//	intervals by query: Clopper-Pearson, effective number, simultaneous over 2 classes
//	intervals by address: Clopper-Pearson, simultaneous over 2 classes
//	n = 279
//	                                  by query                     by address
//	             count   share   95 % interval  count   share   95 % interval
//	  get_peers  1,371  68.5 %  60.8 to 75.6 %    266  95.3 %  91.7 to 97.7 %
//	  find_node    629  31.4 %  24.4 to 39.2 %    237  84.9 %  79.5 to 89.4 %
//	…
//	QUERIES OF EACH WHO ASKED
//	intervals: order statistics
//	                                   by ID (n = 278)          by address (n = 279)
//	                      count   value  95 % interval  count   value  95 % interval
//	  different                     278                           279
//	  median                          7         6 to 7              7         6 to 7
//	  90 %                           13       12 to 14             13       12 to 14
//	  99 %                           18    at least 16             18    at least 16
//	  most                           18                            18
//	  of the ten busiest    167  8.40 %                   167  8.35 %
//	…
//	CONTENT
//	The exponents are of a power law that was fitted to all infohashes: a fit, and no proof that they follow one.
//	intervals: maximum likelihood, likelihood ratio
//	n = 27
//	                                         count   value     95 % interval
//	  queries about content                          1,371
//	  different infohashes                              27
//	  of the most popular hundredth of them    297  21.7 %
//	  exponent of queries by infohash               1.3324  1.2216 to 1.4758
//	  exponent of ranks (Zipf)                      3.0084  2.1019 to 4.5125
//	…
//
// # Figures
//
// "lightdht plot ids|size|nodes|rtt -o FILE.svg|png|pdf" draws what these say, for
// a column or a page of a paper; "stats --format csv" has the numbers behind a
// figure.
package main
