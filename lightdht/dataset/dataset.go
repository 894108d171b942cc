// Package dataset is the store: a folder in which everything that was learned of a
// network is kept, across runs and crashes.
//
//	store, err := dataset.Create(dir, "public")
//	run, err := store.Begin(dataset.Manifest{Command: "survey"}, dataset.Settings{})
//	node, err := lightdht.Listen(":6881", lightdht.Config{Recorder: run})
//	…
//	node.Close()
//	err = run.Close()
//
//	for c, err := range store.Contacts(dataset.Filter{}) { … }             // everybody, merged
//	for r, err := range store.Rows(record.KindVisit, dataset.Filter{}) { … }
//
// A store is of one network and holds runs. Each run is a folder of its own, with
// one writer, a manifest that tells its story, and files that are only appended to.
// So any number of processes write side by side without knowing of each other,
// whoever reads merges what all of them have, and a run that is copied into another
// store is part of that.
//
// What a run is told, it keeps in two ways:
//
//	sightings ─ counted together by contact until the next flush ─ tallies ─ contacts-N.log
//	            contacts-N.log, when full ─ sorted by contact ─ merged with others, when there are many
//	all other rows (and sightings, with KeepSightings) ─ rows-N.log
//
// Contacts are read by merging the sorted files of all runs: in the order of their
// IDs, with little in memory, however many there are.
//
// Promises:
//
//   - What was handed to the kernel (every 200 ms, and by Flush) outlives the end of
//     the process, whatever it be; what was synced (every 5 s), that of the system.
//   - A file that was torn or spoilt is read but for what is no whole frame, each of
//     which has a checksum; that is told, and Mend keeps it aside.
//   - Nothing is overwritten: a file is there whole or under a name with a dot.
//   - A store of another network, or of a newer form, is refused and left alone.
//   - A journal that can write no more stops, says why, and counts what it is told
//     from then on; the node goes on.
//   - Infohashes are kept as hashes under a key of the store, unless RawInfohashes.
//     Files can be read by their owner alone. The nodes that a lookup found closest
//     to one, and that were asked for it, are named all the same: their IDs tell its
//     first bits, some 20 of them in a large network. To hand data on, share it
//     (package export).
//
// Times are in microseconds, from 1970 to the year 9999, round trips too. With a
// contact 64 bytes of its client version are kept, with other rows 256 of any text
// and 1,024 entries of a list. What is cut is counted.
//
// Where things are, by the way a row goes:
//
//	store, identity, manifest   the folder, and what it says of itself
//	run, record, tally          what a run is told, and what it makes of it
//	journal, sorter, close      how that gets to disk, and the end
//	rowcode, wire, frame        what stands in files; resync finds frames in spoilt ones
//	heap, sorted, merged        tallies in order: in memory, in files, of several
//	read*, opening              all runs, as they are read
//	mend, compact, verify       what is done about crashes; merge joins stores
package dataset
