package main

import (
	"hash/fnv"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
)

// overSeeds calls one for each seed, on all processors, each with a source of its
// own that depends on the name and the seed alone, and returns what it returned in
// the order of seeds. one must not share what it writes to.
func overSeeds[T any](name string, seeds int, one func(r *rand.Rand) T) []T {
	hash := fnv.New64a()
	hash.Write([]byte(name))
	stream := hash.Sum64()

	found := make([]T, seeds)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(seeds); i = next.Add(1) - 1 {
				found[i] = one(rand.New(rand.NewPCG(stream, uint64(i))))
			}
		})
	}
	workers.Wait()
	return found
}

// column takes one field out of what overSeeds returned.
func column[T, V any](found []T, of func(T) V) []V {
	values := make([]V, len(found))
	for i := range found {
		values[i] = of(found[i])
	}
	return values
}

// must is for measurements that a known network bears: an error is a mistake here.
func must[T any](v T, err error) T {
	if err != nil {
		panic("validate: " + err.Error())
	}
	return v
}
