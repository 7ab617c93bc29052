package load

import "path/filepath"

// Real returns a path without symbolic links, or as it is if there is no such
// file.
func Real(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}
