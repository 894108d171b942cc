package live

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/lightdht/lightdht/scripts/peerbench/contest"
	"github.com/lightdht/lightdht/scripts/peerbench/server"
)

// ServeCommand is the argument with which this program is package server's.
const ServeCommand = "serve"

// peer is a server to measure.
type peer struct {
	name    string
	bare    bool   // it answers without a table
	other   bool   // it is not ours, and must have no way out
	program string // that must be there; "": this one

	// command returns the command line to live at a site.
	command func(s site) ([]string, error)

	// works says what its program lacks; nil: nothing.
	works func() error
}

const echoName = "the generator's own limit"

// peers returns all servers, first the one that the others are compared with.
func peers(cfg Config) []peer {
	return []peer{
		ours("lightdht, "+contest.Number(float64(cfg.Contacts))+" contacts", server.Node, cfg.Contacts),
		ours("lightdht, 1,000 contacts", server.Node, 0),
		{name: "libtorrent", other: true, program: python, command: libtorrent("extended"), works: hasLibtorrent},
		{name: "libtorrent, small buckets", other: true, program: python, command: libtorrent("plain"), works: hasLibtorrent},
		{name: "rtorrent", other: true, program: "rtorrent", command: rtorrent},
		{name: "aria2", other: true, program: "aria2c", command: aria2},
		bare(ours("a bare loop in Go", server.Loop, 0)),
		bare(ours(echoName, server.Echo, 0)),
	}
}

func bare(p peer) peer {
	p.bare = true
	return p
}

// why says why a peer cannot be measured here; "" when it can.
func (p peer) why() string {
	switch _, err := exec.LookPath(p.program); {
	case !p.other:
		return ""
	case err != nil:
		return p.program + " is not installed"
	case !isolated():
		return "there is no permission to make a network namespace, and it must have no way out"
	}
	if p.works != nil {
		if err := p.works(); err != nil {
			return err.Error()
		}
	}
	return ""
}

// ours is this program as package server's.
func ours(name, kind string, contacts int) peer {
	return peer{name: name, command: func(s site) ([]string, error) {
		self, err := os.Executable()
		return []string{self, ServeCommand, "-listen", s.listen.String(), "-kind", kind, "-contacts", strconv.Itoa(contacts)}, err
	}}
}

const python = "/usr/bin/python3" // Debian's, which is the one that has Debian's libtorrent

//go:embed libtorrent.py
var libtorrentScript string

// libtorrent is told the whole crowd. Its first bucket holds 128 contacts, all of
// which it sorts for an answer; a table where each holds 8, as in others, is no
// default of it.
func libtorrent(table string) func(site) ([]string, error) {
	return func(s site) ([]string, error) {
		return append([]string{python, "-c", libtorrentScript, s.listen.String(), table}, s.entrances...), nil
	}
}

func hasLibtorrent() error {
	if exec.Command(python, "-c", "import libtorrent").Run() != nil {
		return fmt.Errorf("python3-libtorrent is not installed")
	}
	return nil
}

// rtorrent has no torrent, and no terminal. It reads its settings from its home.
func rtorrent(s site) ([]string, error) {
	settings := fmt.Sprintf(rtorrentSettings, s.dir, s.listen.Addr(), s.listen.Port())
	for i, entrance := range s.entrances[:8] {
		settings += fmt.Sprintf("schedule2 = entrance%d, 1, 0, \"dht.add_node=%s\"\n", i, entrance)
	}
	return []string{"rtorrent"}, os.WriteFile(filepath.Join(s.dir, ".rtorrent.rc"), []byte(settings), 0o600)
}

const rtorrentSettings = `system.daemon.set = true
session.path.set = %[1]s
directory.default.set = %[1]s
network.bind_address.set = %[2]s
network.port_range.set = %[3]d-%[3]d
trackers.use_udp.set = no
protocol.pex.set = no
dht.port.set = %[3]d
dht.mode.set = on
`

// aria2 runs its DHT while a torrent is under way: one of a single byte that
// nobody has.
func aria2(s site) ([]string, error) {
	torrent := filepath.Join(s.dir, "nothing.torrent")
	content := "d4:infod6:lengthi1e4:name7:nothing12:piece lengthi16384e6:pieces20:" + "nobody has this byte" + "ee"
	if err := os.WriteFile(torrent, []byte(content), 0o600); err != nil {
		return nil, err
	}
	port := strconv.Itoa(int(s.listen.Port()))
	return []string{"aria2c", "--no-conf", "--quiet", "--dir=" + s.dir, "--interface=" + s.listen.Addr().String(), "--disable-ipv6",
		"--enable-dht", "--dht-file-path=" + filepath.Join(s.dir, "dht.dat"), "--dht-listen-port=" + port, "--listen-port=" + port,
		"--dht-entry-point=" + s.entrances[0], "--bt-enable-lpd=false", "--enable-peer-exchange=false", torrent}, nil
}
