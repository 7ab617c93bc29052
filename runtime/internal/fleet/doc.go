// Package fleet tries what no single test of two requests can: many processes, whose
// clocks differ by minutes, serve many browsers, while requests are held, lost and
// sent again, answers overtake one another, visitors sign in and out, renew and are
// revoked, tabs hold live connections, a deploy moves the cookie, somebody plants a
// token and somebody steals one.
//
// A history is a list of commands. It decides everything, so it can be repeated and
// shrunk: requests and events are coroutines that stop before each step of the store,
// and time is that of the history. The promises are judged by what the store has
// acknowledged (ledger_test.go) and by what browsers have been told
// (promises_test.go); the numbers of rules stand in the findings.
package fleet
