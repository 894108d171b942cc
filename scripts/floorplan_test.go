// Package scripts holds the developer's scripts, and the tests that are about
// the tree as a whole.
package scripts

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const module = "github.com/lightdht/lightdht"

// floor is where a package stands and what it may import: packages of this
// module by their folder, all of them on lower floors, and other modules by
// their path. The standard library is open to all. What tests import is not
// part of the plan.
type floor struct {
	level int
	may   []string
}

// plan is the floor plan of the README. It names packages that are still to
// come; whoever adds another one, or a library, decides here where it stands.
var plan = map[string]floor{
	"lightdht/kad": {0, nil},

	"table":             {1, []string{"lightdht/kad", "github.com/google/btree"}},
	"lightdht/krpc":     {1, []string{"lightdht/kad", "github.com/zeebo/bencode"}},
	"lightdht/record":   {1, []string{"lightdht/kad"}},
	"lightdht/analysis": {1, []string{"lightdht/kad", "gonum.org/v1/gonum", "github.com/HdrHistogram/hdrhistogram-go"}},

	"lightdht/pseudonym": {1, []string{"lightdht/kad"}},

	"lightdht":         {2, []string{"lightdht/kad", "lightdht/krpc", "lightdht/record", "table"}},
	"lightdht/dataset": {2, []string{"lightdht/kad", "lightdht/record", "lightdht/pseudonym", "table", "github.com/google/uuid", "golang.org/x/sys"}},
	"lightdht/export": {3, []string{
		"lightdht/kad", "lightdht/krpc", "lightdht/record", "lightdht/pseudonym", "lightdht/dataset", "table", "github.com/klauspost/compress", "github.com/parquet-go/parquet-go", "modernc.org/sqlite", "github.com/oschwald/maxminddb-golang/v2",
	}},
	"lightdht/figure": {2, []string{"lightdht/analysis", "gonum.org/v1/plot"}},

	"lightdht/testnet": {3, []string{"lightdht/kad", "lightdht/krpc", "lightdht/record", "lightdht", "lightdht/dataset", "table"}},
	"lightdht/survey":  {3, []string{"lightdht/kad", "lightdht/analysis", "lightdht"}},
	"lightdht/crawl":   {3, []string{"lightdht/kad", "lightdht/krpc", "lightdht/record", "lightdht"}},

	"cmd/lightdht": {4, []string{"lightdht/...", "table", "github.com/urfave/cli/v2", "github.com/vbauerster/mpb/v8"}},
	"scripts/*":    {4, []string{"lightdht/...", "table"}},
}

// visible is all that may stand at the top of the repository beside dot files.
var visible = []string{
	"LICENSE", "README.md", "cmd", "datasets", "go.mod", "go.sum", "lightdht", "notebooks", "scripts", "table",
}

func TestFloorPlan(t *testing.T) {
	for _, problem := range append(misplaced(os.DirFS("..")), crowded(os.DirFS(".."))...) {
		t.Error(problem)
	}
}

// misplaced walks the Go files of a tree and says which imports point upwards,
// sideways or to a library that is not in the plan.
func misplaced(tree fs.FS) (problems []string) {
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name != "." && outside(tree, name) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		source, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		problems = append(problems, misplacedIn(name, source)...)
		return nil
	})
	if err != nil {
		problems = append(problems, err.Error())
	}
	return problems
}

// outside reports whether the go command leaves a folder out of ./...
func outside(tree fs.FS, folder string) bool {
	base := path.Base(folder)
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" {
		return true
	}
	_, err := fs.Stat(tree, path.Join(folder, "go.mod"))
	return err == nil // a module of its own
}

// misplacedIn is misplaced for one file.
func misplacedIn(name string, source []byte) (problems []string) {
	folder := path.Dir(name)
	place, ok := plan[folder]
	if !ok && path.Dir(folder) == "scripts" {
		place, ok = plan["scripts/*"]
	}
	if !ok {
		return []string{fmt.Sprintf("%s: package %s is not in the floor plan: add it to the plan in scripts/floorplan_test.go and to the README", name, folder)}
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ImportsOnly)
	if err != nil {
		return []string{err.Error()}
	}
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value) // the parser has checked it
		if !allowed(place, imported) {
			problems = append(problems, fmt.Sprintf("%s: imports %s, but by the floor plan %s may import the standard library and %v alone",
				name, imported, folder, place.may))
		}
	}
	return problems
}

func allowed(place floor, imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") {
		return imported != "C" // the standard library, without cgo
	}
	if local, ok := strings.CutPrefix(imported, module+"/"); ok {
		return slices.Contains(place.may, local) || slices.Contains(place.may, "lightdht/...") && under(local, "lightdht")
	}
	return slices.ContainsFunc(place.may, func(library string) bool { return under(imported, library) })
}

// under reports whether a path is root or lies below it.
func under(name, root string) bool { return name == root || strings.HasPrefix(name, root+"/") }

// crowded says what stands at the top of a tree that should not.
func crowded(tree fs.FS) (problems []string) {
	entries, err := fs.ReadDir(tree, ".")
	if err != nil {
		return []string{err.Error()}
	}
	for _, entry := range entries {
		if name := entry.Name(); !strings.HasPrefix(name, ".") && !slices.Contains(visible, name) {
			problems = append(problems, fmt.Sprintf("%s: does not belong at the top level, where there are only %v", name, visible))
		}
	}
	return problems
}

// The plan itself: imports point down.
func TestPlanPointsDown(t *testing.T) {
	for folder, place := range plan {
		for _, other := range place.may {
			if strings.Contains(other, ".") {
				continue // another module, or a whole tree
			}
			if below, ok := plan[other]; !ok || below.level >= place.level {
				t.Errorf("%s, on floor %d, may import %s, on floor %d", folder, place.level, other, below.level)
			}
		}
	}
}

// What the plan is there to catch, planted in a tree.
func TestFloorPlanCatches(t *testing.T) {
	for _, c := range []struct{ name, source, says string }{
		{"lightdht/kad/a.go", `import "net/netip"`, ""},
		{"table/a.go", `import "github.com/google/btree"`, ""},
		{"lightdht/analysis/a.go", `import "gonum.org/v1/gonum/stat/distuv"`, ""},
		{"lightdht/a.go", `import "` + module + `/table"`, ""},
		{"cmd/lightdht/a.go", `import ("github.com/urfave/cli/v2"; "` + module + `/lightdht"; "` + module + `/lightdht/crawl")`, ""},
		{"scripts/reach/main.go", `import "` + module + `/lightdht/testnet"`, ""},
		{"scripts/tools/tools.go", `import "example.org/linter"`, ""}, // the tree below makes it a module of its own
		{"table/a_test.go", `import "pgregory.net/rapid"`, ""},
		{"lightdht/testdata/a.go", `import "example.org/x"`, ""},

		{"lightdht/kad/a.go", `import "` + module + `/table"`, "lightdht/kad may import"},
		{"table/a.go", `import k "` + module + `/lightdht/krpc"`, "table may import"},
		{"table/a.go", `import _ "` + module + `/lightdht/kad/deep"`, "table may import"},
		{"lightdht/krpc/a.go", `import "github.com/google/btree"`, "lightdht/krpc may import"},
		{"lightdht/analysis/a.go", `import "gonum.org/v1/gonumb"`, "lightdht/analysis may import"},
		{"lightdht/a.go", `import "` + module + `/lightdht/dataset"`, "lightdht may import"},
		{"lightdht/a_linux.go", `import "C"`, "imports C"},
		{"cmd/lightdht/a.go", `import "github.com/google/btree"`, "cmd/lightdht may import"},
		{"scripts/reach/main.go", `import "` + module + `/cmd/lightdht"`, "scripts/reach may import"},
		{"lightdht/util/a.go", ``, "package lightdht/util is not in the floor plan"},
		{"cmd/other/a.go", ``, "package cmd/other is not in the floor plan"},
		{"a.go", ``, "package . is not in the floor plan"},
		{"table/a.go", `import btree`, "missing import path"},
	} {
		tree := fstest.MapFS{
			c.name:                 {Data: []byte("package p\n" + c.source + "\n")},
			"scripts/tools/go.mod": {},
		}
		problems := misplaced(tree)
		if said := strings.Join(problems, "\n"); c.says == "" && said != "" || !strings.Contains(said, c.says) {
			t.Errorf("%s with %s: %q, want %q", c.name, c.source, said, c.says)
		}
	}
	tree := fstest.MapFS{"go.mod": {}, ".ci/run": {}, "table/a.go": {}, "util/a.go": {}, "notes.txt": {}}
	if problems := crowded(tree); len(problems) != 2 || !strings.HasPrefix(problems[0], "notes.txt") || !strings.HasPrefix(problems[1], "util") {
		t.Errorf("a crowded tree: %q", problems)
	}
}
