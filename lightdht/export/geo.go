package export

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"

	"github.com/oschwald/maxminddb-golang/v2"
)

// Geo tells where addresses are, and whose, from databases of the MaxMind form
// that the user has: a country database, one of autonomous systems, or one of
// both. The zero Geo knows nothing.
type Geo struct {
	dbs  []*maxminddb.Reader
	last netip.Addr
	is   location
}

// location is what is known of an address.
type location struct {
	country string // ISO 3166, two letters; "": unknown
	asn     int64  // 0: unknown
	org     string
}

// OpenGeo opens databases. Of what several tell the first one counts.
func OpenGeo(files ...string) (*Geo, error) {
	g := &Geo{}
	for _, name := range files {
		db, err := maxminddb.Open(name)
		if err != nil {
			g.Close()
			if path := (*fs.PathError)(nil); errors.As(err, &path) {
				return nil, err // which names it
			}
			return nil, fmt.Errorf("%s: no database of the MaxMind form: %w", name, err)
		}
		g.dbs = append(g.dbs, db)
	}
	return g, nil
}

// AddsColumn reports whether a column is one of those that a Geo adds to tables.
func AddsColumn(name string) bool {
	return slices.ContainsFunc(geoFields(&Geo{}, func(*netip.Addr) netip.Addr { return netip.Addr{} }),
		func(f field[netip.Addr]) bool { return f.Name == name })
}

// Close closes the databases. A nil Geo may be closed.
func (g *Geo) Close() error {
	if g == nil {
		return nil
	}
	var errs []error
	for _, db := range g.dbs {
		errs = append(errs, db.Close())
	}
	return errors.Join(errs...)
}

// at looks an address up. The columns of a row ask for the same one.
func (g *Geo) at(addr netip.Addr) location {
	if addr == g.last {
		return g.is
	}
	g.last, g.is = addr, location{}
	if !addr.IsValid() {
		return g.is
	}
	for _, db := range g.dbs {
		var row struct {
			Country struct {
				ISO string `maxminddb:"iso_code"`
			} `maxminddb:"country"`
			ASN uint64 `maxminddb:"autonomous_system_number"`
			Org string `maxminddb:"autonomous_system_organization"`
		}
		if err := db.Lookup(addr).Decode(&row); err != nil {
			continue // of another form: it knows nothing of this address
		}
		if g.is.country == "" {
			g.is.country = row.Country.ISO
		}
		if g.is.asn == 0 {
			g.is.asn, g.is.org = int64(row.ASN), row.Org
		}
	}
	return g.is
}
