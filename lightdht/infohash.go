package lightdht

import (
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// ParseInfohash reads an infohash in any form that people hold it in: 40 hex
// digits, 32 base32 letters, a magnet link, or a v2 infohash (64 hex digits, or
// a multihash of 68 that begins with 1220), of which the DHT uses the first 20
// bytes (BEP 52). Of a magnet link with both, the v1 infohash counts (BEP 9).
func ParseInfohash(s string) (kad.ID, error) {
	s = strings.TrimSpace(s)
	if len(s) >= 7 && strings.EqualFold(s[:7], "magnet:") {
		return parseMagnet(s)
	}
	switch len(s) {
	case 32:
		b, _ := base32.StdEncoding.DecodeString(strings.ToUpper(s))
		if id, ok := kad.IDFromBytes(b); ok { // padding and line ends make it shorter
			return id, nil
		}
	case 40, 64:
		if b, err := hex.DecodeString(s); err == nil {
			return kad.ID(b[:kad.Size]), nil
		}
	case 68:
		if b, err := hex.DecodeString(s); err == nil && b[0] == 0x12 && b[1] == 0x20 {
			return kad.ID(b[2 : 2+kad.Size]), nil
		}
	}
	if len(s) > 80 {
		s = s[:77] + "..."
	}
	return kad.ID{}, fmt.Errorf("no infohash: %q: want 40 hex digits, 32 base32 letters, 64 hex digits (v2) or a magnet link", s)
}

// parseMagnet takes the infohash from the link's exact topics.
func parseMagnet(link string) (kad.ID, error) {
	_, query, _ := strings.Cut(link, "?")
	query = strings.ReplaceAll(query, "&amp;", "&") // copied from the source of a page
	values, err := url.ParseQuery(query)
	if err != nil {
		return kad.ID{}, fmt.Errorf("magnet link: %w", err)
	}
	for _, scheme := range []string{"urn:btih:", "urn:btmh:"} {
		for _, key := range slices.Sorted(maps.Keys(values)) { // the same one every time
			if key != "xt" && !strings.HasPrefix(key, "xt.") {
				continue
			}
			for _, topic := range values[key] {
				if len(topic) > len(scheme) && strings.EqualFold(topic[:len(scheme)], scheme) {
					return ParseInfohash(topic[len(scheme):])
				}
			}
		}
	}
	return kad.ID{}, fmt.Errorf("magnet link without an infohash: want xt=urn:btih:… or xt=urn:btmh:…")
}
