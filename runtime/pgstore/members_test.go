package pgstore

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/duckgen/duckgen/runtime"
)

func TestMembersOfAnObject(t *testing.T) {
	const object = `{"a": 1, "ü": "x, \"y\": {", "é\"\\": {"b": [1, {"c": "}"}], "d": {}}, "": [], "z": null}`
	want := map[string]string{
		"a": "1", "ü": `"x, \"y\": {"`, `é"\`: `{"b": [1, {"c": "}"}], "d": {}}`, "": "[]", "z": "null",
	}
	var err error
	got := map[string]string{}
	for name, value := range members(object, &err) {
		got[name] = value
	}
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the members differ (-want +got):\n%s", diff)
	}
}

func TestWhatIsNoObjectIsDamaged(t *testing.T) {
	for _, text := range []string{
		"", "{", "[]", "null", `{"a"}`, `{"a": }`, `{"a": `, `{"a": 1`, `{"a": 1, }`, `{"a: 1}`, `{"a": "x}`, `{"a": [1}`, `{"a": 1}}`, `{"a": 1}x`, `{"\x": 1}`, `{a: 1}`,
	} {
		var err error
		for range members(text, &err) {
		}
		if err == nil {
			t.Errorf("%q passes for an object", text)
		}
	}
}

// TestEarlierTokensOfUnlikeLengthsAreDamaged: each is a place in five arrays.
func TestEarlierTokensOfUnlikeLengthsAreDamaged(t *testing.T) {
	for name, cut := range map[string]func(*tokens){
		"":          nil,
		"proof":     func(t *tokens) { t.proof = nil },
		"ended":     func(t *tokens) { t.ended = nil },
		"by":        func(t *tokens) { t.by = nil },
		"presented": func(t *tokens) { t.presented = nil },
		"grace":     func(t *tokens) { t.grace = nil },
	} {
		whole := tokens{
			proof: [][]byte{make([]byte, 32)}, ended: make([]pgtype.Timestamptz, 1), by: make([]int16, 1),
			presented: make([]pgtype.Timestamptz, 1), grace: make([]pgtype.Interval, 1),
		}
		if cut != nil {
			cut(&whole)
		}
		if sound := whole.earlier(&runtime.Record{}); sound != (cut == nil) {
			t.Errorf("without %q it is sound: %v", name, sound)
		}
	}
}

// FuzzMembers holds the splitting to what encoding/json reads.
func FuzzMembers(f *testing.F) {
	f.Add(`{"a": 1, "b": {"c": [1, "}"]}}`)
	f.Add(`{"\"\\é": "\u0001", "": {}}`)
	f.Add(`{"a": [`)
	f.Fuzz(func(t *testing.T, object string) {
		var err error
		got := map[string]string{}
		for name, value := range members(object, &err) {
			got[name] = value
		}
		var want map[string]json.RawMessage
		if json.Unmarshal([]byte(object), &want) != nil || want == nil || spelled(want) != object {
			return
		}
		if err != nil || len(got) != len(want) {
			t.Fatalf("%q has the members %q, %v; want %q", object, got, err, want)
		}
		for name, value := range want {
			if got[name] != string(value) {
				t.Errorf("%q: the member %q is %q, want %q", object, name, got[name], value)
			}
		}
	})
}

// spelled returns an object of one member as Postgres spells it, and "" of more,
// whose order is not known.
func spelled(object map[string]json.RawMessage) string {
	if len(object) > 1 {
		return ""
	}
	for name, value := range object {
		var quoted bytes.Buffer
		encoder := json.NewEncoder(&quoted)
		encoder.SetEscapeHTML(false)
		if encoder.Encode(name) != nil {
			return ""
		}
		return "{" + string(bytes.TrimSpace(quoted.Bytes())) + ": " + string(value) + "}"
	}
	return "{}"
}

// TestAnObjectHasTheVersionThatIsRead: what another one has may be anything.
func TestAnObjectHasTheVersionThatIsRead(t *testing.T) {
	for sent, sound := range map[string]bool{"\x01{}": true, "\x01": true, "\x02{}": false, "": false} {
		d := decoder{values: [][]byte{[]byte(sent)}, sound: true}
		if d.object(); d.sound != sound {
			t.Errorf("%q is sound: %v, want %v", sent, d.sound, sound)
		}
	}
}
