package read

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// text returns what a tag says, for comparison.
func (t tag) String() string {
	if t.omit {
		return "-"
	}
	var b strings.Builder
	b.WriteString(t.key.text)
	for _, o := range t.options {
		b.WriteString("|" + o.name.text)
		if o.hasValue {
			b.WriteString("=" + o.value.text)
		}
	}
	return b.String()
}

func TestTagsAreReadAsTheyAreWritten(t *testing.T) {
	for value, want := range map[string]string{
		"name":                     "name",
		"-":                        "-",
		"name,once":                "name|once",
		"name,max=3,once":          "name|max=3|once",
		"name,default='a,b',once":  "name|default=a,b|once",
		"name,default='it''s'":     "name|default=it's",
		"name,default=''":          "name|default=",
		"name,default=":            "name|default=",
		"name,default=it's":        "name|default=it's",
		"name,default=a=b":         "name|default=a=b",
		"name,default='a=b,c=d',x": "name|default=a=b,c=d|x",
	} {
		got, problems := parseTag(locate(value, 0))
		if got.String() != want || len(problems) > 0 {
			t.Errorf("%s reads as %s, not %s (%v)", value, got, want, problems)
		}
	}
}

func TestPlacesInATagAreThoseOfTheLiteral(t *testing.T) {
	for _, literal := range []string{
		"`json:\"x\" session:\"name,max=HERE\"`",
		`"session:\"name,max=HERE\""`,
		`"session:\"n\u0061me,default='é',max=HERE\""`,
		"`session:\"a,default='x''y',max=HERE\"`",
	} {
		value, found, _, err := structTag(literal)
		if !found || err != nil {
			t.Fatalf("%s: found %v, %v", literal, found, err)
		}
		parsed, problems := parseTag(value)
		if len(problems) > 0 {
			t.Fatalf("%s: %v", literal, problems)
		}
		got := parsed.options[len(parsed.options)-1].value.place()
		if want := strings.Index(literal, "HERE"); got != want {
			t.Errorf("%s: the value is at %d, not %d", literal, got, want)
		}
	}
}

func TestATagIsAListOfPairs(t *testing.T) {
	for text, fine := range map[string]bool{
		`session:"a"`: true, ` json:"b"  session:"a" `: true,
		`session :"a"`: false, "ses\tsion:\"a\"": false, "ses\x7fsion:\"a\"": false, `"session":"a"`: false,
		`session: "a"`: false, `session:"a`: false, `:"a"`: false, `session`: false,
	} {
		value, found, _, err := structTag("`" + text + "`")
		if fine != (err == nil) || fine && (!found || value.text != "a") {
			t.Errorf("%q: %q, found %v, %v", text, value.text, found, err)
		}
	}
}

func TestNoTagIsFoundInWhatIsNoString(t *testing.T) {
	if _, found, _, err := structTag(`"\q"`); found || err == nil {
		t.Errorf("found %v, %v, want an error alone", found, err)
	}
}

// FuzzTag holds the reading of tags to package reflect, and their places to the
// literal.
func FuzzTag(f *testing.F) {
	for _, seed := range []string{
		`session:"name,max=3"`, `json:"x" session:"a,default='b,c'"`, `session:"a\"b"`, `session:"-"`,
		`session:"x`, `session:x`, `session:"a,default='it''s',once"`, `session:",,"`, "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		literal := strconv.Quote(text)
		value, found, _, problem := structTag(literal)
		want, ok := reflect.StructTag(text).Lookup(tagKey)
		if problem == nil && (found != ok || value.text != want) {
			t.Fatalf("%q reads as %q (%v), reflect says %q (%v)", text, value.text, found, want, ok)
		}
		if problem != nil {
			inside(t, literal, problem.at)
			return
		}
		if !found {
			return
		}
		parsed, problems := parseTag(value)
		for _, p := range problems {
			inside(t, literal, p.at)
		}
		for _, o := range parsed.options {
			inside(t, literal, o.name.place())
			if o.hasValue {
				inside(t, literal, o.value.place())
			}
		}
	})
}

func inside(t *testing.T, text string, at int) {
	t.Helper()
	if at < 0 || at > len(text) {
		t.Fatalf("the place %d is outside of %q", at, text)
	}
}
