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
//	lookups     ipv4: 100 of random targets, the 8 closest of each, width 32; 5,139 nodes asked, 27.7 % had not answered when their lookup ended
//	…
//	left out    nothing
//	refused     deepest bucket: our ID and our good contacts are not known here, as they are with --live and from a store
//
//	NETWORK SIZE, IPV4
//	pooled is the one to report: its interval is exact, of chance alone. What lookups miss makes all low but pooled over recall.
//	n = 100
//	                      nodes   95 % interval  method
//	  pooled              1,900  1,772 to 2,036  maximum likelihood, exact chi-square
//	  pooled over recall  1,946  1,812 to 2,229  the same, with what lookups missed; approximate
//	  least squares       1,894  1,780 to 2,016  Sohl; jackknife, approximate
//	  median gap          1,922  1,748 to 2,114  mldht, 4.5 % high; Student's t, approximate
//
//	RECALL, IPV4
//	share of the true closest 8 that the lookups found, from 32 targets looked up again, twice as wide
//	                   share   95 % interval    n  method
//	  of the closest  97.6 %  86.9 to 99.3 %  252  Clopper-Pearson over the design effect
//
// Are the IDs as chance makes them, and where are they not?
//
//	$ lightdht stats ids datasets/sample/contacts.csv.gz
//	…
//	counted     1,807 IDs at 1,547 addresses, in 1,807 contacts
//	left out    749 contacts that never answered: --all counts them
//	chance 1    one node per address: each of 1,807 IDs is a random point
//	chance 2    BEP 42: the allowed IDs of one address that share 21 bits are one cell: each of 1,789 cells is a random point
//	…
//	UNIFORM?
//	p: how often chance makes a number as large, each by itself: of 20 tests one is below 0.05 by chance.
//	Where there is df, p is that of chi-square. Dispersion: variance over mean of the zones' counts, 1 by chance.
//	                                 one node per address (n = 1,807)                         BEP 42 (n = 1,789)
//	                         value     95 % interval      df        p     value     95 % interval      df      p  method
//	  whole space         0.024775                              0.214  0.025592                            0.189  Kolmogorov-Smirnov
//	  4 bits                24.323                        15    0.060     25.01                        15  0.050  Pearson
//	  8 bits                315.94                       255    0.006    306.37                       255  0.015  Pearson
//	  4 bits, G             24.804                    14.997    0.053    25.522                    14.997  0.043  G test, scaled
//	  8 bits, G             311.09                    250.89    0.006    302.91                    250.78  0.013  G test, scaled
//	  gaps                   2,222                     1,807  5.5e-11     1,967                     1,789  0.002  Moran, scaled
//	  8 bits, dispersion     1.239  1.0492 to 1.4857                     1.2014  1.0174 to 1.4406                 chi-square
//	…
//	CROWDED ZONES, BEP 42
//	Page's CUSUM at depths 1 to 64, binomial tail, Bonferroni over stretches and depths, Benjamini-Hochberg over zones at 5 %
//	found: CUSUM, Benjamini-Hochberg
//	               found (n = 1,789)  chance  addresses
//	          count   times        p   count      count
//	  all         1
//	  d8c/10     19  10.875  7.6e-09  1.7471          5
//	…
//	IDS THAT BEP 42 ALLOWS AT THEIR ADDRESS
//	Counted: pairs of ID and IP address, each by itself, also where many are at one address.
//	intervals: Clopper-Pearson
//	                         count       share   95 % interval      n
//	  ipv4                   1,268      70.2 %  68.0 to 72.3 %  1,807
//	  ipv4 LT                  886      98.8 %  97.8 to 99.4 %    897
//	  ipv4 UT                  382      99.5 %  98.1 to 99.9 %    384
//	  ipv4 JC                    0         0 %     0 to 1.51 %    242
//	…
//	HOW MANY EACH HAS
//	A full count of the sample, not an estimate: no intervals.
//	          IDs per IP address (n = 1,547)  addresses per ID (n = 1,807)  IDs per IPv4 /24 (n = 493)
//	          count                    share  count                  share  count                share
//	  1       1,503                   97.2 %  1,807                  100 %     81               16.4 %
//	  2           8                   0.52 %                                   98               19.9 %
//	  3-4         1                  0.065 %                                  200               40.6 %
//	  5-8        31                   2.00 %                                   98               19.9 %
//	  9-16                                                                     14               2.84 %
//	  17-32       4                   0.26 %                                    1               0.20 %
//	…
//
// Who is there?
//
//	$ lightdht stats nodes datasets/sample/contacts.csv.gz
//	…
//	counted     1,807 IDs, 1,547 addresses; of 2,556 contacts, 1,807 answered
//	left out    749 contacts never answered: counted among states alone; --all counts them everywhere
//	…
//	STATES, AND WHO ANSWERED
//	                                                                                               by ID                                                               by address
//	                             count   share   95 % interval      n  method                             count   share   95 % interval      n  method
//	  good                       1,807  70.7 %  67.9 to 73.4 %  2,556  Clopper-Pearson, effective number  1,547  67.9 %  65.9 to 69.8 %  2,279  Clopper-Pearson
//	  bad                          583  22.8 %  20.3 to 25.5 %  2,556  Clopper-Pearson, effective number    569  25.0 %  23.2 to 26.8 %  2,279  Clopper-Pearson
//	  questionable                 166  6.49 %  5.09 to 8.15 %  2,556  Clopper-Pearson, effective number    163  7.15 %  6.13 to 8.29 %  2,279  Clopper-Pearson
//	  answered, of those asked   1,807  71.6 %  68.7 to 74.3 %  2,525  Clopper-Pearson, effective number  1,547  68.7 %  66.8 to 70.6 %  2,251  Clopper-Pearson
//	  answered, of queries sent  8,381  72.8 %  69.7 to 75.7 %  2,525  Clopper-Pearson, effective number  8,381  72.8 %  69.7 to 75.7 %  2,251  Clopper-Pearson, effective number
//	…
//	ROUND TRIPS
//	Of the last answer of each. Where they are too few for both ends of an interval it has one, or there is none.
//	intervals by ID: order statistics, effective number
//	intervals by address: order statistics
//	                       by ID (n = 1,807)          by address (n = 1,547)
//	             value         95 % interval     value         95 % interval
//	  5 %      39.02ms     33.7ms to 43.39ms   39.18ms    35.71ms to 41.73ms
//	  25 %     69.02ms    64.06ms to 73.22ms   68.38ms    66.05ms to 70.66ms
//	  median  101.73ms   95.62ms to 108.29ms  100.77ms    96.7ms to 105.79ms
//	  75 %    153.02ms  143.87ms to 164.35ms  152.77ms   146.3ms to 159.36ms
//	  90 %    221.25ms    200.7ms to 245.5ms  216.38ms  203.78ms to 233.47ms
//	  95 %     274.3ms  249.22ms to 303.87ms  275.58ms  257.02ms to 289.02ms
//	  99 %    391.81ms  339.97ms to 531.97ms  392.32ms  358.91ms to 464.38ms
//	…
//	CLIENTS
//	                                                                                       by ID (n = 1,807)                                                       by address (n = 1,547)
//	           count   share   95 % interval  method                                                          count   share   95 % interval  method
//	  LT         897  49.6 %  44.5 to 54.8 %  Clopper-Pearson, effective number, simultaneous over 4 classes    809  52.3 %  49.1 to 55.5 %  Clopper-Pearson, simultaneous over 4 classes
//	  UT         384  21.3 %  17.3 to 25.7 %  Clopper-Pearson, effective number, simultaneous over 4 classes    351  22.7 %  20.1 to 25.5 %  Clopper-Pearson, simultaneous over 4 classes
//	  JC         242  13.4 %  7.68 to 21.1 %  Clopper-Pearson, effective number, simultaneous over 4 classes    131  8.47 %  6.79 to 10.4 %  Clopper-Pearson, simultaneous over 4 classes
//	  ml          95  5.26 %  3.26 to 7.94 %  Clopper-Pearson, effective number, simultaneous over 4 classes     88  5.69 %  4.32 to 7.33 %  Clopper-Pearson, simultaneous over 4 classes
//	  unknown    189  10.5 %  8.15 to 13.2 %  Clopper-Pearson, effective number                                 168  10.9 %  9.35 to 12.5 %  Clopper-Pearson
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
//	size        ipv4: 1900 (95 % interval 1772 to 2036, pooled over 100 lookups)
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
//	  08e4b2f8a721403502ee0bac1470fab6a1e27041  0.83787  0.972  0.93925  0.939  0.72463  0.199
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
