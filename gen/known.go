package gen

import (
	"os"
	"path/filepath"

	"github.com/duckgen/duckgen/gen/cache"
	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/internal/parallel"
)

// worthKnowing is how many sessions it takes until rendering them costs more
// than finding out whether they are known.
const worthKnowing = 8

// recognise takes the files of units over from the tree where the cache knows
// that rendering would give the same.
func (g *generator) recognise(units []*unit) {
	sessions := 0
	for _, u := range units {
		for _, f := range u.files {
			sessions += len(f.Schema.Sessions)
		}
	}
	if sessions < worthKnowing {
		return
	}
	parallel.Do(len(units), func(i int) { units[i].recognise(g.cache) })
}

func (u *unit) recognise(c *cache.Cache) {
	if len(u.files) == 0 {
		return
	}
	var ok bool
	if u.key, ok = c.Key(u.origin()); !ok {
		return
	}
	u.hasKey = true
	contents := make([][]byte, len(u.files))
	for i, f := range u.files {
		content, err := os.ReadFile(f.Path)
		if err != nil && exists(f.Path) {
			return
		}
		contents[i] = content
	}
	if u.known = c.Knows(u.place(), u.key, u.cached(contents)); u.known {
		for i := range u.files {
			u.files[i].Content = contents[i]
		}
	}
}

// origin is all that the files of a unit are rendered from.
func (u *unit) origin() any {
	type file struct {
		Schema schema.File
		Test   bool
	}
	var origin struct {
		Package schema.Package
		Files   []file
	}
	for _, f := range u.files {
		origin.Package = f.Schema.Package
		own := file{*f.Schema, f.Test}
		own.Schema.Package = schema.Package{} // it is the same for all
		origin.Files = append(origin.Files, own)
	}
	return origin
}

// place is what the cache knows the unit by.
func (u *unit) place() string { return u.Dir + "\n" + u.Path }

func (u *unit) cached(contents [][]byte) []cache.File {
	var files []cache.File
	for i, f := range u.files {
		if contents[i] != nil { // a test that has nothing to hold
			files = append(files, cache.File{Name: filepath.Base(f.Path), Content: contents[i]})
		}
	}
	return files
}

// remember has the cache know what was rendered.
func (g *generator) remember(units []*unit) {
	written := false
	for _, u := range units {
		if !u.hasKey || u.known {
			continue
		}
		contents := make([][]byte, len(u.files))
		for i, f := range u.files {
			contents[i] = f.Content
		}
		g.cache.Remember(u.place(), u.key, u.cached(contents))
		written = true
	}
	if written {
		g.cache.Trim()
	}
}
