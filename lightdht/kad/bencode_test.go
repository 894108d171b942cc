package kad_test

import (
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

func TestIDBencode(t *testing.T) {
	id := kad.ID([]byte("mnopqrstuvwxyz123456"))
	b, err := id.MarshalBencode()
	if err != nil || string(b) != "20:mnopqrstuvwxyz123456" {
		t.Fatalf("MarshalBencode = %q, %v", b, err)
	}
	var back kad.ID
	if err := back.UnmarshalBencode(b); err != nil || back != id {
		t.Errorf("UnmarshalBencode = %s, %v, want %s", back, err, id)
	}
	for _, bad := range []string{"", "20:", "i20e", "20:mnopqrstuvwxyz12345", "20:mnopqrstuvwxyz1234567", "19:mnopqrstuvwxyz123456"} {
		if err := back.UnmarshalBencode([]byte(bad)); err == nil {
			t.Errorf("UnmarshalBencode(%q) took it", bad)
		}
		if back != id {
			t.Fatalf("UnmarshalBencode(%q) changed the ID", bad)
		}
	}
}
