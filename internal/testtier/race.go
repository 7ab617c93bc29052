//go:build race

package testtier

const detectsRaces = true
