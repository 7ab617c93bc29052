package mysqlstore

import "testing"

func TestTheVersionsThatHaveWhatTheStatementsNeed(t *testing.T) {
	for version, want := range map[string]bool{
		"5.7.44": false, "8.0.15": false, "8.0.16": true, "8.0.36-0ubuntu0": true, "8.1.0": true, "8.4.2": true, "9.0.1": true,
		"10.10.9-MariaDB": false, "10.11.2-MariaDB": true, "10.11.19-MariaDB-0+deb12u1": true, "11.0.1-MariaDB": true, "9.11.2-MariaDB": false,
		"": false, "8": false, "8.4": false, "MariaDB": false,
	} {
		if got := isSupported(version); got != want {
			t.Errorf("%q is supported: %v, want %v", version, got, want)
		}
	}
}

func TestAnAddendChangesASumThatFits(t *testing.T) {
	for n, want := range map[int64]bool{0: false, 1: true, -1: true, 8e18: true, 8e18 + 1: false, -8e18: true, -8e18 - 1: false} {
		if got := isAddend(n); got != want {
			t.Errorf("%d is an addend: %v, want %v", n, got, want)
		}
	}
}
