package storetest

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// A filed store is a toy that keeps the victim of C16 in files.
type filed struct {
	*toy
	dir  string
	save func(*filed, *page) error
	late []*page // what tooLate has been given
}

// A page is what of a record is in a file.
type page struct {
	Proof                               runtime.Proof
	Created, Renewed, Deadline, Expires time.Time
	Entries                             []runtime.Entry
}

func openFiled(t *testing.T, dir string, save func(*filed, *page) error) *filed {
	s := &filed{toy: newToy(), dir: dir, save: save}
	var whole page
	for _, name := range []string{"page", "part"} {
		var p page
		content, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = gob.NewDecoder(bytes.NewReader(content)).Decode(&p)
		}
		if err != nil {
			t.Fatal(err)
		}
		p.Entries = append(whole.Entries, p.Entries...)
		whole = p
	}
	if whole.Proof == victim.proof {
		s.records[victim.id] = &runtime.Record{
			Kind: kind, Proof: whole.Proof, Created: whole.Created, Renewed: whole.Renewed,
			Deadline: whole.Deadline, Expires: whole.Expires, Entries: runtime.NewEntries(whole.Entries...),
		}
	}
	return s
}

func (s *filed) Create(ctx context.Context, key runtime.Key, r *runtime.Record) error {
	return errors.Join(s.toy.Create(ctx, key, r), s.write())
}

func (s *filed) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	result, err := s.toy.Update(ctx, key, d)
	return result, errors.Join(err, s.write())
}

func (s *filed) write() error {
	r := s.records[victim.id]
	return s.save(s, &page{r.Proof, r.Created, r.Renewed, r.Deadline, r.Expires, slices.Collect(r.Entries.All())})
}

func (s *filed) file(name string, p *page) error {
	var content bytes.Buffer
	if err := gob.NewEncoder(&content).Encode(p); err != nil {
		return err
	}
	fresh := filepath.Join(s.dir, "fresh")
	if err := os.WriteFile(fresh, content.Bytes(), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, filepath.Join(s.dir, name))
}

// whole replaces the one file of the record.
func whole(s *filed, p *page) error { return s.file("page", p) }

// inParts writes half of the entries to a file of their own, much later.
func inParts(s *filed, p *page) error {
	first, second := *p, *p
	first.Entries, second.Entries = p.Entries[:1], p.Entries[1:]
	err := s.file("page", &first)
	time.Sleep(10 * time.Millisecond)
	return errors.Join(err, s.file("part", &second))
}

// tooLate acknowledges a write when it has made the last but two, so that a kill loses
// one whenever it comes.
func tooLate(s *filed, p *page) error {
	s.late = append(s.late, p)
	return s.file("page", s.late[max(0, len(s.late)-3)])
}

func reopenFiled(save func(*filed, *page) error) func(*testing.T, string) runtime.Store {
	return func(t *testing.T, dir string) runtime.Store { return openFiled(t, dir, save) }
}

func TestKillNoticesDefects(t *testing.T) {
	for name, c := range map[string]struct {
		save  func(*filed, *page) error
		fails bool
	}{
		"a record is one file":              {whole, false},
		"a record is written in parts":      {inParts, true},
		"writes are acknowledged too early": {tooLate, true},
	} {
		t.Run(name, func(t *testing.T) {
			reopen := reopenFiled(c.save)
			if data := os.Getenv(victimVariable); data != "" {
				writeUntilKilled(t, reopen(t, data))
				return
			}
			failures := record(t, killed, subject{
				open:   func() runtime.Store { return newToy() },
				reopen: func(data string) runtime.Store { return reopen(t, data) },
				test:   pattern(t.Name()),
			})
			if (len(failures) > 0) != c.fails {
				t.Errorf("the kit reports %q", failures)
			}
		})
	}
}
