package sessiontest

import (
	"log/slog"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Embedding has fields whose types embed one that marshals itself.
//
//duckgen:session cookie=embedding
type Embedding struct {
	Named NamedTime  `session:"named"`
	Noted NotedLevel `session:"noted"`
	Found FoundAddr  `session:"found"`
	Page  Page       `session:"page"`
	Sour  Sour       `session:"sour"`
}

type (
	NamedTime struct {
		time.Time
		Name string
	}
	NotedLevel struct {
		slog.Level
		Text string
	}
	FoundAddr struct {
		netip.Addr
		Port uint16
	}

	// Page embeds a pointer: the methods of the address panic while it is nil.
	Page struct{ *url.URL }

	// Sour has a zero value that panics when it is marshalled.
	Sour struct{ sweet *string }
)

func TestV17NothingBesideAnEmbeddedTypeIsLost(t *testing.T) {
	page, err := url.Parse("https://shop.example/tea?n=1")
	if err != nil {
		t.Fatal(err)
	}
	want := Embedding{
		Named: NamedTime{time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC), "launch"},
		Noted: NotedLevel{slog.LevelWarn, "careful"},
		Found: FoundAddr{netip.MustParseAddr("192.0.2.7"), 443},
		Page:  Page{page},
		Sour:  Sour{new(string)},
	}
	for _, format := range storeFormats {
		t.Run(format.name, func(t *testing.T) {
			p := start(t, format.newStore(t), NewEmbeddingSessions, EmbeddingFrom)
			b := &jar{}
			p.visit(b, func(s *EmbeddingSession) {
				s.SetNamed(want.Named)
				s.SetNoted(want.Noted)
				s.SetFound(want.Found)
				s.SetPage(want.Page)
				s.SetSour(want.Sour)
			})
			p.visit(b, func(s *EmbeddingSession) {
				if diff := cmp.Diff(want, s.Snapshot(), cmpopts.EquateComparable(netip.Addr{}), cmp.AllowUnexported(Sour{})); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

func (s Sour) MarshalText() ([]byte, error) { return []byte("sweet:" + *s.sweet), nil }

func (s *Sour) UnmarshalText([]byte) error {
	s.sweet = new(string)
	return nil
}
