// Lightdht beside other implementations, apart from the module that researchers
// import, which must not depend on them.
module github.com/lightdht/lightdht/scripts/peerbench

go 1.26.0

require (
	github.com/lightdht/lightdht v0.0.0
	golang.org/x/sys v0.49.0
)

require (
	github.com/google/btree v1.1.3 // indirect
	github.com/zeebo/bencode v1.0.0 // indirect
)

replace github.com/lightdht/lightdht => ../..
