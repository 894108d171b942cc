package main

import (
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/export"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/testnet"
)

// writeHosts writes who there was, in order of IDs.
func (p plan) writeHosts(hosts []host) error {
	slices.SortFunc(hosts, func(a, b host) int { return a.id.Compare(b.id) })
	schema := export.Schema{
		{Name: "id", Type: export.ID}, {Name: "ip", Type: export.Addr}, {Name: "port", Type: export.Int},
		{Name: "client", Type: export.Text}, {Name: "version", Type: export.Text},
		{Name: "bep42_ok", Type: export.Bool}, {Name: "alive", Type: export.Bool}, {Name: "planted", Type: export.Bool},
	}
	return p.write("truth.csv.gz", "truth", schema, len(hosts), func(i int, cols []export.Vector) {
		h := hosts[i]
		cols[0].AddID(h.id)
		cols[1].AddAddr(h.addr.Addr())
		cols[2].AddInt(int64(h.addr.Port()))
		for j, text := range []string{krpc.ClientCode(h.version), krpc.VersionText(h.version)} {
			if text == "" {
				cols[3+j].AddAbsent()
			} else {
				cols[3+j].AddText(text)
			}
		}
		for j, is := range []bool{kad.IsSecureID(h.id, h.addr.Addr()), h.alive, h.planted} {
			cols[5+j].AddBool(is)
		}
	})
}

// writeClosest writes which hosts were the 8 nearest to each target.
func (p plan) writeClosest(world *testnet.Net, targets []kad.ID) error {
	const k = 8
	schema := export.Schema{{Name: "target", Type: export.ID}, {Name: "rank", Type: export.Int}, {Name: "id", Type: export.ID}}
	var nearest []kad.NodeInfo
	return p.write("closest.csv.gz", "truth", schema, k*len(targets), func(i int, cols []export.Vector) {
		if i%k == 0 {
			nearest = world.Closest(targets[i/k], k)
		}
		cols[0].AddID(targets[i/k])
		cols[1].AddInt(int64(1 + i%k))
		cols[2].AddID(nearest[i%k].ID)
	})
}

// write writes a file of so many rows, each by add, and its manifest.
func (p plan) write(name string, what export.What, schema export.Schema, rows int, add func(i int, cols []export.Vector)) (err error) {
	name = filepath.Join(p.truth, name)
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	zip := gzip.NewWriter(file)
	w, err := export.NewWriter(zip, export.CSV, schema, export.Options{})
	b := schema.NewBatch()
	for i := 0; err == nil && i < rows; i++ {
		add(i, b.Cols)
		if b.Len++; b.Full() || i == rows-1 {
			err = w.Write(b)
			b = schema.NewBatch()
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err = errors.Join(err, zip.Close(), file.Close()); err != nil {
		return err
	}
	m := export.Manifest{
		Tool: dataset.ThisTool("sample", ""), What: what, Form: export.CSV, Rows: int64(rows),
		Network: p.network(), Runs: []dataset.Manifest{},
	}
	m.Describe(schema, nil)
	return m.Write(name)
}
