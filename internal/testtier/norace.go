//go:build !race

package testtier

const detectsRaces = false
