package main

import (
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"

	"github.com/lightdht/lightdht/lightdht/kad"
)

const transmissionPort = 51413 // of its DHT, and of the peer that it announces

// startTransmission starts Transmission as a member of the LAN. It is fresh but
// for the torrents that it is to seed and a dht.dat with its ID and nodes, which
// are all it knows of the DHT: the public node it has built in is out of reach.
// It tells what its DHT does on stderr.
func (l *lab) startTransmission(member byte, nodes []netip.AddrPort, torrents ...string) (*process, error) {
	dir := filepath.Join(l.dir, fmt.Sprint("transmission", member))
	files := map[string][]byte{
		"settings.json": fmt.Appendf(nil, settings, transmissionPort, filepath.Join(dir, "data")),
		"dht.dat":       dhtDat(transmissionID(member), nodes),
	}
	for _, name := range torrents {
		files["torrents/"+name+".torrent"], _ = torrentOf(name)
		files["data/"+name] = []byte(name)
	}
	for name, content := range files {
		if err := writeFile(filepath.Join(dir, name), content); err != nil {
			return nil, err
		}
	}
	return l.lan.join(member, "env", "TR_DHT_VERBOSE=1", "transmission-daemon", "--foreground", "--config-dir", dir, "--log-debug")
}

// settings are Transmission's, without a port and a folder for data. Of all its
// ways to find peers only the DHT is on, and no other packets are UDP.
const settings = `{
	"dht-enabled": true, "lpd-enabled": false, "pex-enabled": false, "utp-enabled": false,
	"port-forwarding-enabled": false, "rpc-enabled": false, "blocklist-enabled": false,
	"peer-port-random-on-start": false, "peer-port": %d, "download-dir": %q
}`

// transmissionID is the ID of the Transmission that is such a member.
func transmissionID(member byte) kad.ID { return hashOf("transmission " + strconv.Itoa(int(member))) }

// transmissionAt is where it is.
func transmissionAt(member byte) netip.AddrPort {
	return netip.AddrPortFrom(at(member), transmissionPort)
}

// dhtDat returns what Transmission keeps its ID and nodes in.
func dhtDat(id kad.ID, nodes []netip.AddrPort) []byte {
	var compact []byte
	for _, n := range nodes {
		compact = binary.BigEndian.AppendUint16(append(compact, n.Addr().AsSlice()...), n.Port())
	}
	return fmt.Appendf(nil, "d2:id20:%s5:nodes%d:%se", id[:], len(compact), compact)
}

// torrentOf returns a public torrent without a tracker, whose only file has its
// name for a name and for content.
func torrentOf(name string) (torrent []byte, infohash kad.ID) {
	const form = "d6:lengthi%de4:name%d:%s12:piece lengthi16384e6:pieces20:%se"
	piece := sha1.Sum([]byte(name))
	info := fmt.Appendf(nil, form, len(name), len(name), name, piece[:])
	return fmt.Appendf(nil, "d4:info%se", info), sha1.Sum(info)
}

// writeFile writes a file and the folders it is in.
func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}
