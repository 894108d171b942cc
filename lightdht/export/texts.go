package export

import (
	"math"
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// texts are texts that are made once and told again and again.
type texts struct {
	runs    map[dataset.RunID]string
	clients map[string][2]string
	last    dataset.RunID
	run     string
}

func newTexts() *texts {
	return &texts{runs: map[dataset.RunID]string{}, clients: map[string][2]string{}}
}

func (t *texts) ofRun(id dataset.RunID) string {
	if id == t.last && t.run != "" {
		return t.run
	}
	s, ok := t.runs[id]
	if !ok {
		s = id.String()
		t.runs[id] = s
	}
	t.last, t.run = id, s
	return s
}

// maxClients is how many versions are remembered: anybody can make them up.
const maxClients = 1 << 16

// ofVersion returns the client and the version as they are shown.
func (t *texts) ofVersion(version string) [2]string {
	s, ok := t.clients[version]
	if !ok {
		if len(t.clients) >= maxClients {
			clear(t.clients)
		}
		s = [2]string{krpc.ClientCode(version), krpc.VersionText(version)}
		t.clients[version] = s
	}
	return s
}

// Values that may be absent.

func (v *Vector) text(s string) {
	if s == "" {
		v.AddAbsent()
	} else {
		v.AddText(s)
	}
}

func (v *Vector) id(id kad.ID) {
	if id.IsZero() {
		v.AddAbsent()
	} else {
		v.AddID(id)
	}
}

func (v *Vector) addr(a netip.Addr) {
	if a.IsValid() {
		v.AddAddr(a)
	} else {
		v.AddAbsent()
	}
}

func (v *Vector) port(a netip.AddrPort) {
	if a.IsValid() {
		v.AddInt(int64(a.Port()))
	} else {
		v.AddAbsent()
	}
}

func (v *Vector) stamp(s dataset.Stamp) {
	if s == 0 {
		v.AddAbsent()
	} else {
		v.AddInt(int64(s))
	}
}

func (v *Vector) time(t time.Time) { v.stamp(dataset.StampOf(t)) }

func (v *Vector) micros(d time.Duration, is bool) {
	if is {
		v.AddInt(d.Microseconds())
	} else {
		v.AddAbsent()
	}
}

func (v *Vector) float(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		v.AddAbsent()
	} else {
		v.AddFloat(f)
	}
}

func (v *Vector) count(n uint32, is bool) {
	if is {
		v.AddInt(int64(n))
	} else {
		v.AddAbsent()
	}
}

func (v *Vector) family(a netip.Addr) {
	switch kad.FamilyOf(a) {
	case kad.IPv4:
		v.AddText("ipv4")
	case kad.IPv6:
		v.AddText("ipv6")
	default:
		v.AddAbsent()
	}
}

// methodText is a method as it is shown: those of others may be any bytes.
func methodText(method string) string { return printable(method[:min(len(method), maxMethod)]) }

// maxMethod is how many bytes of a method are told.
const maxMethod = 64

// printable is a text in which bytes that are no printable ASCII are escaped.
func printable(s string) string {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return krpc.VersionText(s)
		}
	}
	return s
}
