package runtime

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
)

// keyOf returns 32 bytes, no two alike.
func keyOf(first byte) []byte {
	key := make([]byte, keyBytes)
	for i := range key {
		key[i] = first + byte(i)
	}
	return key
}

func TestNoWayOfPrintingShowsAKey(t *testing.T) {
	key := keyOf(0xc0)
	config, problems := Configure(func(c *Config) { c.Keys = [][]byte{key} })
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var printed strings.Builder
	text, structured := slog.New(slog.NewTextHandler(&printed, nil)), slog.New(slog.NewJSONHandler(&printed, nil))
	for _, v := range []any{config, &config, config.Keys, &config.Keys, struct{ Of Config }{config}, map[string]any{"keys": config.Keys}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%c"} {
			fmt.Fprintf(&printed, verb+"\n", v)
		}
		fmt.Fprintln(&printed, v)
		b, err := json.Marshal(v)
		fmt.Fprintln(&printed, string(b), err)
		text.Info("text", "value", v)
		structured.Info("JSON", "value", v)
	}
	for name, shown := range map[string]string{
		"raw": string(key), "decimal": "192 193 194", "with commas": "192, 193, 194", "Go": "0xc0, 0xc1", "hexadecimal": hex.EncodeToString(key[:3]),
		"in capitals": "C0C1C2", "in base64": base64.StdEncoding.EncodeToString(key)[:8], "escaped": `\xc0\xc1`, "as runes": "ÀÁÂ",
	} {
		if strings.Contains(printed.String(), shown) {
			t.Errorf("the key is printed, %s:\n%s", name, printed.String())
		}
	}
	if !strings.Contains(printed.String(), "1 hidden keys") {
		t.Errorf("it does not say how many keys there are:\n%s", printed.String())
	}
}

func TestWhatIsNoKeyIsRefused(t *testing.T) {
	for want, keys := range map[string][][]byte{
		"Keys[1] has 16 bytes":          {keyOf(0), keyOf(0)[:16]},
		"Keys[0] has 0 bytes":           {nil},
		"Keys[1] is one byte, 32 times": {keyOf(0), bytes.Repeat([]byte{0xe9}, keyBytes)},
		"Keys[0] is one byte, 32 times": {make([]byte, keyBytes)},
		"Keys[2] is Keys[0] once more":  {keyOf(0), keyOf(1), keyOf(0)},
	} {
		_, problems := Configure(func(c *Config) { c.Keys = keys })
		if len(problems) != 1 || !strings.HasPrefix(problems[0].Error(), want) {
			t.Errorf("got %v, want %q", problems, want)
		}
	}
}

// warningStore is a store that has something to say.
type warningStore struct {
	Store
	found []error
}

func (s warningStore) Warnings() []error { return s.found }

func TestWhatIsNoReasonNotToStartIsAnEventAtStart(t *testing.T) {
	type session struct{ core *Session }
	model := NewModel("k", func(core *Session) session { return session{core} })
	var events []Event
	store := struct{ unwrapping }{unwrapping{warningStore{found: []error{errForgets}}}}
	_, err := NewManager(model, store, nil, func(c *Config) {
		c.Keys = [][]byte{keyOf(0), []byte("correct horse battery staple, no")}
		c.OnEvent = func(_ context.Context, e Event) { events = append(events, e) }
	})
	want := []Event{
		{Kind: EventPassPhrase, Session: model.name, Field: "Keys[1]", Err: errPassPhrase},
		{Kind: EventStoreSetting, Session: model.name, Err: errForgets},
	}
	if err != nil || !reflect.DeepEqual(events, want) {
		t.Errorf("the events are %v, %v, want %v", events, err, want)
	}
}

var errForgets = fmt.Errorf("the server forgets")

// unwrapping wraps a store without having its abilities itself.
type unwrapping struct{ Store }

func (u unwrapping) Unwrap() Store { return u.Store }

func TestWhatIsNotAsItWasSealedDoesNotOpen(t *testing.T) {
	ring, err := newKeyRing("kind", [][]byte{keyOf(0), keyOf(40)})
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []Format{MessagePack, JSON} {
		place := association{"kind", ID{1}, "field"}
		sealed := ring.seal(place, format, "value")
		if got, err := ring.open(place, format, sealed); got != "value" || err != nil {
			t.Errorf("opens as %q, %v", got, err)
		}
		b, _ := formBytes(format, sealed)
		for i := range b {
			other := bytes.Clone(b)
			other[i] ^= 1
			for _, wrong := range [][]byte{b[:i], other} {
				if got, err := ring.open(place, format, bytesForm(format, wrong)); got != "" || err != errSealed {
					t.Errorf("%x opens as %q, %v", wrong, got, err)
				}
			}
		}
	}
}
