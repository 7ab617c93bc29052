// Package cache remembers what the generated files of a package were made from,
// so that a later run knows them again without rendering them.
//
// An entry holds hashes only: of all that went in, this program included, and of
// each file that came out. A file is known again if its bytes have the hash,
// whatever its time says, so that an entry that is missing, cut off or wrong
// costs a rendering and nothing else. Entries may be removed at any time, and
// several processes may use them at once.
package cache

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// Variable is the environment variable that says where the cache is: a
// directory, or "off". Otherwise it is in the user's cache directory.
const Variable = "DUCKGEN_CACHE"

// limit is how many entries are kept, one for each package.
const limit = 10_000

// A Cache is a directory of entries. A nil Cache is empty and stays so. Safe for
// concurrent use.
type Cache struct {
	dir  string
	tool func() (Sum, error)
}

// A Sum is a SHA-256 hash.
type Sum [sha256.Size]byte

// Open returns the cache of the environment, or nil where there is none.
func Open() *Cache {
	dir := os.Getenv(Variable)
	if dir == "off" {
		return nil
	}
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return nil
		}
		dir = filepath.Join(base, "duckgen")
	}
	return &Cache{dir: dir, tool: sync.OnceValues(executable)}
}

// executable is the hash of this program.
func executable() (sum Sum, err error) {
	path, err := os.Executable()
	if err != nil {
		return sum, err
	}
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer func() { _ = f.Close() }() // it was only read
	h := sha256.New()
	if _, err := f.WriteTo(h); err != nil {
		return sum, err
	}
	return Sum(h.Sum(nil)), nil
}

// Key is the hash of a value and of this program. A value consists of structs,
// pointers, slices, maps with string keys and basic kinds. Without the hash of
// this program nothing is ever known, and ok is false.
func (c *Cache) Key(value any) (key Sum, ok bool) {
	if c == nil {
		return key, false
	}
	tool, err := c.tool()
	if err != nil {
		return key, false
	}
	d := digest{Hash: sha256.New()}
	d.Write(tool[:])
	d.add(value)
	return Sum(d.Sum(nil)), true
}

// A File is a generated file.
type File struct {
	Name    string // base name
	Content []byte
}

// Knows reports whether files of a directory are what came out last time, of the
// same key.
func (c *Cache) Knows(dir string, key Sum, files []File) bool {
	entry, err := os.ReadFile(c.path(dir))
	return err == nil && bytes.Equal(entry, newEntry(key, files))
}

// Remember says what came out of a key. That it could not be written down does
// no harm.
func (c *Cache) Remember(dir string, key Sum, files []File) {
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return
	}
	f, err := os.CreateTemp(c.dir, "new-*")
	if err != nil {
		return
	}
	_, err = f.Write(newEntry(key, files))
	if err = cmp.Or(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), c.path(dir))
	}
	if err != nil {
		_ = os.Remove(f.Name()) // nothing better can be done about it
	}
}

// path is where the entry of a directory is.
func (c *Cache) path(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return filepath.Join(c.dir, hex.EncodeToString(sum[:16]))
}

func newEntry(key Sum, files []File) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%x\n", key)
	for _, f := range files {
		fmt.Fprintf(&b, "%x %s\n", sha256.Sum256(f.Content), f.Name)
	}
	return b.Bytes()
}

// Trim removes the oldest entries where there are too many.
func (c *Cache) Trim() {
	if c == nil {
		return
	}
	entries, err := os.ReadDir(c.dir)
	if err != nil || len(entries) <= limit {
		return
	}
	type aged struct {
		name string
		time int64
	}
	var all []aged
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil {
			all = append(all, aged{entry.Name(), info.ModTime().UnixNano()})
		}
	}
	slices.SortFunc(all, func(a, b aged) int { return cmp.Compare(a.time, b.time) })
	for _, entry := range all[:max(0, len(all)-limit/2)] {
		_ = os.Remove(filepath.Join(c.dir, entry.name)) // the next run tries again
	}
}
