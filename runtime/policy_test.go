package runtime

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestProblemsNameTheSettingThatIsToChange(t *testing.T) {
	for want, configure := range map[Problem]func(*Config){
		{Setting: "Age"}:         func(c *Config) { c.Age = MaxAge + 1 },
		{Setting: "Cookie.Name"}: func(c *Config) { c.Cookie.Name = "a b" },
		{Setting: "Idle"}:        func(c *Config) { c.Idle = -1 },
		{Setting: "TouchEvery"}:  func(c *Config) { c.TouchEvery = -1 },
		{Setting: "Keys[1]"}:     func(c *Config) { c.Keys = [][]byte{keyOf(0), nil} },

		{Setting: "Idle", With: "Age"}:                         func(c *Config) { c.Idle = c.Age + 1 },
		{Setting: "TouchEvery", With: "Idle"}:                  func(c *Config) { c.Idle, c.TouchEvery = time.Hour, 31*time.Minute },
		{Setting: "Cookie.Partitioned", With: "Cookie.Secure"}: func(c *Config) { c.Cookie.Partitioned, c.Cookie.Secure = true, false },
		{Setting: "Cookie.Secure", With: "Cookie.Name"}:        func(c *Config) { c.Cookie.Name, c.Cookie.Secure = "__Secure-s", false },
		{Setting: "Cookie.Domain", With: "Cookie.Name"}:        func(c *Config) { c.Cookie.Name, c.ServerDomain = "__Host-s", "shop.example" },
	} {
		_, problems := Configure(nil, configure)
		if len(problems) != 1 {
			t.Errorf("%v: %v", want, problems)
			continue
		}
		got := problems[0]
		if got.Setting != want.Setting || got.With != want.With || got.Message == "" || got.Hint == "" {
			t.Errorf("got %+v, want %s with %q", got, want.Setting, want.With)
		}
	}
}

// TestNamesHaveEveryLetterAndDigit tries the ends of each range, and what stands
// beside them in ASCII.
func TestNamesHaveEveryLetterAndDigit(t *testing.T) {
	cookie := func(c *Config, name string) { c.Cookie.Name = name }
	namespace := func(c *Config, name string) { c.Namespace = name }
	for _, x := range []struct {
		what  string
		set   func(*Config, string)
		names string
		wrong int
	}{
		{"cookie", cookie, "AZaz09", 0}, {"cookie", cookie, "@[{/:", 1},
		{"namespace", namespace, "AZaz09", 0}, {"namespace", namespace, "@[`{:", 1},
	} {
		for _, name := range x.names {
			_, problems := Configure(nil, func(c *Config) { x.set(c, string(name)) })
			if len(problems) != x.wrong {
				t.Errorf("a %s named %q: %v", x.what, name, problems)
			}
		}
	}
}

func TestAnErrorOfAConfigurationHoldsItsProblems(t *testing.T) {
	type session struct{ core *Session }
	model := NewModel("k", func(core *Session) session { return session{core} })
	_, err := NewManager(model, nil, nil, func(c *Config) { c.Grace = -1 })
	var p Problem
	if !errors.As(err, &p) || p.Setting != "Grace" {
		t.Errorf("the error is %v", err)
	}
}

func TestWhatIsLeftOpenIsFilledIn(t *testing.T) {
	config, problems := Configure(func(c *Config) { *c = Config{Age: c.Age, MaxBytes: 1, SyncPath: "/sync", ServerDomain: "shop.example"} })
	want := Cookie{Name: "session_id", Path: "/", Domain: "shop.example", SameSite: 2}
	if !reflect.DeepEqual(config.Cookie, want) || config.Now == nil || config.OnEvent == nil || config.OnError == nil || len(problems) > 0 {
		t.Errorf("got %+v with %v", config, problems)
	}
}

func TestADomainHas253LettersAtMost(t *testing.T) {
	longest := strings.Repeat("a234567890123456789012345678901234567890123456789.", 5) + "abc"
	if len(longest) != 253 || !isDomain(longest) || isDomain("b"+longest) {
		t.Errorf("%d letters: %v, one more: %v", len(longest), isDomain(longest), isDomain("b"+longest))
	}
}
