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
//	lookups     ipv4: 100 of random targets, the 8 closest of each, width 32; 5,107 nodes asked, 27.4 % had not answered when their lookup ended
//	…
//	left out    nothing
//
//	NETWORK SIZE, IPV4
//	pooled is the one to report: its interval is exact, of chance alone. What lookups miss makes all of them low.
//	n = 100
//	                      nodes   95 % interval  method
//	  pooled              1,897  1,770 to 2,033  maximum likelihood, exact chi-square
//	  pooled over recall  1,943  1,809 to 2,099  the same, with what lookups missed; approximate
//	  least squares       1,892  1,777 to 2,014  Sohl; jackknife, approximate
//	  median gap          1,918  1,744 to 2,110  mldht, 4.5 % high; Student's t, approximate
//
//	RECALL, IPV4
//	share of the true closest 8 that the lookups found, from 32 targets looked up again, twice as wide
//	                   share   95 % interval    n  method
//	  of the closest  97.6 %  94.4 to 99.3 %  253  Clopper-Pearson over the design effect
//
// Are the IDs as chance makes them, and where are they not?
//
//	$ lightdht stats ids datasets/sample/contacts.csv.gz
//	…
//	counted     1,802 IDs at 1,544 addresses, in 1,802 contacts
//	left out    746 contacts that never answered: --all counts them
//	chance 1    one node per address: each of 1,802 IDs is a random point
//	chance 2    BEP 42: the IDs of one address that share 21 bits are one cell: each of 1,785 cells is a random point
//	…
//	UNIFORM?
//	p: how often chance makes a number as large. Dispersion: variance over mean of the zones' counts, 1 by chance.
//	                                one node per address (n = 1,802)                         BEP 42 (n = 1,785)
//	                         value     95 % interval     df        p     value    95 % interval     df        p  method
//	  whole space         0.027687                             0.124  0.028194                            0.115  Kolmogorov-Smirnov
//	  4 bits                28.286                       15    0.020    29.113                      15    0.016  Pearson
//	  8 bits                334.36                      255  6.1e-04    322.52                     255    0.003  Pearson
//	  4 bits, G             29.155                       15    0.016    30.037                      15    0.012  G test
//	  8 bits, G             347.94                      255  4.1e-04    337.25                     255    0.002  G test
//	  gaps                   1,281                    1,802  2.1e-11     1,144                   1,785  5.6e-04  Moran
//	  8 bits, dispersion    1.3112  1.1104 to 1.5723                    1.2648  1.071 to 1.5166                  chi-square
//	…
//	CROWDED ZONES, BEP 42
//	Page's CUSUM at depths 1 to 64, binomial tail, Bonferroni over stretches and depths, Benjamini-Hochberg over zones at 5 %
//	found: CUSUM, Benjamini-Hochberg
//	              found (n = 1,785)  chance  addresses
//	          count  times        p   count      count
//	  all         1
//	  d8c/10     19   10.9  7.3e-09  1.7432          5
//	…
//	IDS THAT BEP 42 ALLOWS AT THEIR ADDRESS
//	Counted: pairs of ID and IP address.
//	Clopper-Pearson
//	                         count       share   95 % interval      n
//	  ipv4                   1,254      69.6 %  67.4 to 71.7 %  1,802
//	  ipv4 LT                  874      98.8 %  97.8 to 99.4 %    885
//	  ipv4 UT                  380      99.5 %  98.1 to 99.9 %    382
//	  ipv4 JC                    0         0 %     0 to 1.50 %    244
//	…
//	HOW MANY EACH HAS
//	A full count of the sample, not an estimate: no intervals.
//	          IDs per IP address (n = 1,544)  addresses per ID (n = 1,802)  IDs per IPv4 /24 (n = 493)
//	          count                    share  count                  share  count                share
//	  1       1,500                   97.2 %  1,802                  100 %     79               16.0 %
//	  2           8                   0.52 %                                   99               20.1 %
//	  3-4         4                   0.26 %                                  202               41.0 %
//	  5-8        28                   1.81 %                                   95               19.3 %
//	  9-16                                                                     16               3.25 %
//	  17-32       4                   0.26 %                                    1               0.20 %
//	…
//
// Who is there?
//
//	$ lightdht stats nodes datasets/sample/contacts.csv.gz
//	…
//	counted     1,802 IDs, 1,544 addresses; of 2,548 contacts, 1,802 answered
//	left out    746 contacts never answered: counted among states alone; --all counts them everywhere
//	…
//	STATES, AND WHO ANSWERED
//	                                                            by ID                            by address
//	                             count   share   95 % interval      n  count   share   95 % interval      n  method
//	  good                       1,802  70.7 %  68.9 to 72.5 %  2,548  1,544  68.0 %  66.1 to 70.0 %  2,269  Clopper-Pearson
//	  bad                          534  21.0 %  19.4 to 22.6 %  2,548    521  23.0 %  21.2 to 24.7 %  2,269  Clopper-Pearson
//	  questionable                 212  8.32 %  7.28 to 9.46 %  2,548    204  8.99 %  7.85 to 10.2 %  2,269  Clopper-Pearson
//	  answered, of those asked   1,802  71.8 %  70.0 to 73.5 %  2,511  1,544  69.0 %  67.0 to 70.9 %  2,239  Clopper-Pearson
//	  answered, of queries sent  8,270  73.6 %  71.7 to 75.4 %  2,511  8,270  73.6 %  71.3 to 75.8 %  2,239  ratio of sums, delta method
//	…
//	ROUND TRIPS
//	Of the last answer of each. Where there is no interval they are too few to have one.
//	order statistics
//	                       by ID (n = 1,802)          by address (n = 1,544)
//	             value         95 % interval     value         95 % interval
//	  5 %      39.12ms    35.94ms to 41.95ms    38.8ms     35.26ms to 41.6ms
//	  25 %      70.3ms     68.1ms to 72.19ms    69.6ms    67.46ms to 72.06ms
//	  median  102.75ms   98.18ms to 106.88ms  102.24ms   97.47ms to 107.01ms
//	  75 %     154.3ms  149.63ms to 161.66ms  154.82ms  149.25ms to 161.92ms
//	  90 %    225.73ms  210.18ms to 236.16ms  224.45ms  206.21ms to 236.16ms
//	  95 %    275.07ms   263.94ms to 292.1ms  275.07ms   260.22ms to 292.1ms
//	  99 %    408.19ms  365.57ms to 465.41ms  418.69ms  365.57ms to 465.41ms
//	…
//	CLIENTS
//	Clopper-Pearson
//	                       by ID (n = 1,802)         by address (n = 1,544)
//	           count   share   95 % interval  count   share   95 % interval
//	  LT         885  49.1 %  46.8 to 51.4 %    804  52.1 %  49.5 to 54.6 %
//	  UT         382  21.2 %  19.3 to 23.2 %    348  22.5 %  20.5 to 24.7 %
//	  JC         244  13.5 %  12.0 to 15.2 %    130  8.42 %  7.08 to 9.92 %
//	  ml          94  5.22 %  4.24 to 6.35 %     86  5.57 %  4.48 to 6.83 %
//	  unknown    197  10.9 %  9.53 to 12.5 %    176  11.4 %  9.86 to 13.1 %
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
//	size        ipv4: 1897 (95 % interval 1770 to 2033, pooled over 100 lookups)
//	crowded     none of 1 target, at 1.00 % false alarms (by the scan, Benjamini-Hochberg over the targets)
//	…
//	NODES AROUND TARGETS, IPV4
//	scan finds a few sybils, gamma as many as there are places; KL is what others publish, recalibrated. p: how often chance does as much.
//	scan: least Gamma probability of the j closest, exact
//	gamma: Gamma probability of the 8th, exact
//	KL: divergence of common prefix lengths, exact
//	n = 100
//	                                                      scan          gamma              KL
//	                                              value      p   value      p     nats      p
//	  08e4b2f8a721403502ee0bac1470fab6a1e27041  0.83747  0.972  0.9387  0.939  0.72254  0.200
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
//	by query: ratio of sums, delta method
//	by address: Clopper-Pearson
//	n = 279
//	                                  by query                     by address
//	             count   share   95 % interval  count   share   95 % interval
//	  get_peers  1,371  68.5 %  66.6 to 70.5 %    266  95.3 %  92.2 to 97.5 %
//	  find_node    629  31.4 %  29.5 to 33.4 %    237  84.9 %  80.2 to 88.9 %
//	…
//	QUERIES OF EACH WHO ASKED
//	order statistics
//	                                   by ID (n = 278)          by address (n = 279)
//	                      count   value  95 % interval  count   value  95 % interval
//	  different                     278                           279
//	  median                          7         6 to 7              7         6 to 7
//	  90 %                           13       12 to 14             13       12 to 14
//	  99 %                           18                            18
//	  most                           18                            18
//	  of the ten busiest    167  8.40 %                   167  8.35 %
//	…
//	CONTENT
//	maximum likelihood, likelihood ratio
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
