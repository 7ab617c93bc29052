// Package fleet tries what no single test of two requests can: many processes, whose
// clocks differ by minutes, serve many browsers, while requests are held, lost and
// sent again, answers overtake one another, visitors sign in and out, renew and are
// revoked, tabs hold live connections, a deploy moves the cookie, somebody plants a
// token and somebody steals one, also of sessions that are bound to a device.
//
// A history is a list of commands. It decides everything, so it can be repeated and
// shrunk: requests and events are coroutines that stop before each step of the store,
// and time is that of the history. The promises are judged by what the store has
// acknowledged (ledger_test.go) and by what browsers have been told
// (promises_test.go); the numbers of rules stand in the findings. Those of bound
// sessions (bond_test.go) are:
//
//   - B1: once its browser has shown its bound cookie, nobody uses a session without.
//   - B2: no key but that of its device registers or refreshes.
//   - B3: who brings what is demanded is let in, and whoever is refused changes nothing.
//   - B4: a sign-in on another device begins a session of its own.
//   - B5: a browser that answers challenges keeps its key, whatever fails.
package fleet
