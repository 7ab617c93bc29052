package read

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// parseDuration reads a duration as time.ParseDuration does, and days before
// it: "7d", "1d12h".
func parseDuration(text string) (time.Duration, error) {
	number, rest, ok := strings.Cut(text, "d")
	if !ok {
		return time.ParseDuration(text)
	}
	days, err := strconv.ParseInt(number, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("invalid number of days %q", number)
	}
	total := time.Duration(days) * day
	if total/day != time.Duration(days) {
		return 0, fmt.Errorf("%s is too long", text)
	}
	if rest == "" {
		return total, nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil {
		return 0, err
	}
	if d < 0 || days < 0 || strings.HasPrefix(rest, "+") || total+d < total {
		return 0, fmt.Errorf("%q is not a duration", text)
	}
	return total + d, nil
}
