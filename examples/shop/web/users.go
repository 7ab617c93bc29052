package web

import (
	"math/rand/v2"
	"strings"
	"sync"
)

// users is a toy: whoever gives a name for the first time has an account. A real
// shop checks a password or a passkey here.
type users struct {
	mu  sync.Mutex
	ids map[string]int64
}

// id returns the id of the user with the name. Ids are random, so that a session
// that outlives this table, in a store on disk, is never another user's.
func (u *users) id(name string) int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	name = strings.ToLower(name)
	id, known := u.ids[name]
	if !known {
		id = 1 + rand.Int64N(1<<62)
		u.ids[name] = id
	}
	return id
}
