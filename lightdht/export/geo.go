package export

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

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
			var spoilt maxminddb.InvalidDatabaseError
			if errors.As(err, &spoilt) || strings.Contains(err.Error(), "MaxMind") {
				return nil, fmt.Errorf("%s: no database of the MaxMind form: %w", name, err)
			}
			return nil, err
		}
		g.dbs = append(g.dbs, db)
	}
	return g, nil
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
