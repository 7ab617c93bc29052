package redisstore

import "testing"

// What servers answer, each as it was read of one.
func TestCodesAreFoundInAnswers(t *testing.T) {
	for answer, want := range map[string]string{
		"NOPERM this user has no permissions to run the 'fcall' command":                                                  "NOPERM",
		"OOM command not allowed when used memory > 'maxmemory'. script: 2e92, on @user_script:452.":                      "OOM",
		"WRONGTYPE Operation against a key holding the wrong kind of value script: 2e92, on @user_script:452.":            "WRONGTYPE",
		"Error running script (call to f_9d74): @user_script:752: WRONGTYPE Operation against a key":                      "WRONGTYPE",
		"Error running script (call to f_9d74): @user_script:1198: @user_script: 1198: -OOM command not allowed":          "OOM",
		"ERR Error running script (call to f_9d74): @user_script:12: @user_script: 12: -READONLY You can't write":         "READONLY",
		"Error running script (call to f_9d74): @user_script:3: Script attempted to access nonexistent global variable":   "ERR",
		"unknown command `FCALL`, with args beginning with: `duckgen_e5103b8edfde_load`, `1`, `NOPERM:{00000000000000}`,": "ERR",
		"ERR unknown command 'FCALL'":  "ERR",
		"Function not found":           "ERR",
		"":                             "ERR",
		"NOSCRIPT No matching script.": "NOSCRIPT",
	} {
		if got := codeOf(ServerError(answer)); got != want {
			t.Errorf("%q has the code %q, want %q", answer, got, want)
		}
	}
}
