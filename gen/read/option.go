package read

import (
	"errors"
	"fmt"
	"go/token"
	"slices"
	"strconv"
	"time"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/runtime"
)

// An optionRule is one option of session tags.
type optionRule struct {
	name  string
	value string // what its value looks like; empty: it has none
	read  func(f *schema.Field, value string) error
	fits  func(t *schema.Type) bool
	types string // the types that it fits, for people
}

// optionRules are the options of session tags. Which of them exclude each other
// is in [conflicts].
var optionRules = []optionRule{
	{"default", "default=light", readNothing, hasDefault, "booleans, numbers and strings"},
	{"index", "", func(f *schema.Field, _ string) error { f.Index = true; return nil }, isIndexable,
		"booleans, integers, strings, []byte, time.Time, arrays and types that marshal themselves"},
	{"limit", "limit=3", readLimit, anyType, ""},
	{"max", "max=20", readMax, hasSize, "strings, []byte, slices and maps"},
	{"merge", "merge=sum", readMerge, anyType, ""},
	{"once", "", func(f *schema.Field, _ string) error { f.Once = true; return nil }, anyType, ""},
	{"renew", "", func(f *schema.Field, _ string) error { f.Renew = true; return nil }, isScalar,
		"everything but slices and maps"},
	{"secret", "", func(f *schema.Field, _ string) error { f.Secret = true; return nil }, isNoMap, "everything but maps"},
	{"ttl", "ttl=10m", readTTL, anyType, ""},
	{"was", "was=old_key", readWas, anyType, ""},
}

func optionNames() []string {
	names := make([]string, len(optionRules))
	for i, rule := range optionRules {
		names[i] = rule.name
	}
	return names
}

func findOption(name string) *optionRule {
	i := slices.IndexFunc(optionRules, func(rule optionRule) bool { return rule.name == name })
	if i < 0 {
		return nil
	}
	return &optionRules[i]
}

// option reads one option of a tag into the field.
func (r *reader) option(f *field, o option, start token.Pos) {
	name := o.name.text
	at := start + token.Pos(o.name.place())
	rule := findOption(name)
	if rule == nil {
		r.report(at, diag.UnknownOption, f.unknownHint(name), "there is no option %q", name)
		return
	}
	switch {
	case f.has(name):
		r.report(at, diag.OptionValue, "remove one of them", "%s is given twice", name)
		return
	case o.hasValue && rule.value == "":
		r.report(at, diag.OptionValue, "write "+name+" alone", "%s takes no value", name)
		return
	case !o.hasValue && rule.value != "":
		r.report(at, diag.OptionValue, "write it such as "+rule.value, "%s needs a value", name)
		return
	}
	place := optionPlace{name: at, value: at, text: o.value.text}
	if o.hasValue {
		place.value = start + token.Pos(o.value.place())
	}
	f.options[name] = place
	if err := rule.read(f.Field, o.value.text); err != nil {
		r.report(place.value, diag.OptionValue, "write it such as "+rule.value, "%s: %v", name, err)
	}
}

// readNothing is for a value that can only be read once the type is known.
func readNothing(*schema.Field, string) error { return nil }

func readMax(f *schema.Field, value string) (err error) {
	f.Max, err = positive(value)
	return err
}

func readLimit(f *schema.Field, value string) (err error) {
	f.Limit, err = positive(value)
	return err
}

func positive(value string) (int, error) {
	n, err := strconv.ParseInt(value, 10, 32)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, fmt.Errorf("%s is out of range", value)
	case err != nil || n <= 0:
		return 0, fmt.Errorf("%q is not a positive number", value)
	}
	return int(n), nil
}

// readTTL refuses what no clock keeps: a cookie lives for 400 days at most.
func readTTL(f *schema.Field, value string) error {
	d, err := parseDuration(value)
	switch {
	case err != nil:
		return fmt.Errorf("%q is not a duration", value)
	case d <= 0:
		return fmt.Errorf("%s is not above 0", value)
	case d < time.Millisecond:
		return fmt.Errorf("%s is below 1ms, which is how exactly ends are judged", value)
	case d > runtime.MaxAge:
		return fmt.Errorf("%s is above 400 days, and no session lives longer", value)
	}
	f.TTL = d
	return nil
}

// unknownHint says what may be meant by an option that there is not.
func (f *field) unknownHint(name string) string {
	switch {
	case diag.Nearest(name, optionNames()) != "":
		return diag.DidYouMean(name, optionNames())
	case slices.Contains(merges, schema.Merge(name)):
		return "write merge=" + name
	case f.has("default"):
		return "quote a default that holds a comma: default='a,b'"
	}
	return diag.DidYouMean(name, optionNames())
}

var merges = []schema.Merge{schema.Last, schema.First, schema.Sum, schema.Max, schema.Min, schema.Append}

func readMerge(f *schema.Field, value string) error {
	if !slices.Contains(merges, schema.Merge(value)) {
		return fmt.Errorf("%q is none of last, first, sum, max, min and append", value)
	}
	f.Merge = schema.Merge(value)
	return nil
}

func readWas(f *schema.Field, value string) error {
	if !wellFormedKey(value) {
		return fmt.Errorf("%q is not a key", value)
	}
	f.Was = value
	return nil
}

// checkOptions reports options that the field's type does not allow, or that
// exclude each other, and reads the default.
func (r *reader) checkOptions(f *field) {
	fitting := true
	for _, rule := range optionRules {
		if f.has(rule.name) && !rule.fits(f.Type) {
			fitting = false
			r.report(f.options[rule.name].name, diag.OptionMisfit, "it fits "+rule.types,
				"%s does not fit a field of type %s", rule.name, r.text(f))
		}
	}
	if m := mergeRules[f.Merge]; m.fits != nil && !m.fits(f.Type) {
		fitting = false
		r.report(f.options["merge"].value, diag.OptionMisfit, "it fits "+m.types,
			"merge=%s does not fit a field of type %s", f.Merge, r.text(f))
	}
	for _, c := range conflicts {
		if c.has(f) {
			fitting = false
			r.report(f.options[c.option].name, diag.OptionConflict, c.hint, "%s", c.message)
		}
	}
	if fitting && f.has("default") {
		r.readDefault(f)
	}
}

func (r *reader) text(f *field) string {
	return (&walk{resolver: r.types}).text(f.goType)
}

// A conflict is a pair of options that exclude each other.
type conflict struct {
	option  string // the one to point at
	has     func(*field) bool
	message string
	hint    string
}

var conflicts = []conflict{
	{
		"default", func(f *field) bool { return f.has("default") && f.Merge != schema.Last && f.Merge != schema.First },
		"a merged field has no default: it starts without a value", "remove default=",
	},
	{
		"secret", func(f *field) bool { return f.Secret && f.Index },
		"a secret field cannot be found by its value: the stored one is sealed", "remove secret or index",
	},
	{
		"secret", func(f *field) bool { return f.Secret && f.Merge == schema.Sum },
		"a store cannot add to a sealed value", "remove secret or merge=sum",
	},
	{
		"limit", func(f *field) bool { return f.has("limit") && !f.Index },
		"a limit is of the sessions with one indexed value", "add index, or remove limit=",
	},
	{
		"index", func(f *field) bool { return f.Index && f.Merge == schema.Sum },
		"a store cannot add to an indexed value", "remove index or merge=sum",
	},
	{
		"ttl", func(f *field) bool { return f.has("ttl") && f.Index },
		"an index would find sessions by a value that is over", "remove ttl= or index",
	},
	{
		"ttl", func(f *field) bool { return f.has("ttl") && f.Renew },
		"a sign-in does not end by itself: sessions have an age and an idle limit", "remove ttl= or renew",
	},
	{
		"ttl", func(f *field) bool {
			return f.has("ttl") && (f.Merge == schema.Sum || f.Merge == schema.Max || f.Merge == schema.Min)
		},
		"sums, maxima and minima are of all values, and none of them is over", "remove ttl= or merge=",
	},
	{
		"renew", func(f *field) bool { return f.Renew && f.Merge != schema.Last },
		"setting a renew field is a sign-in, which is never merged with another", "remove renew or merge=",
	},
}
