package found

import (
	"context"
	"log"

	"github.com/duckgen/duckgen/examples/shop/session"
)

type app struct{ sessions *session.VisitorSessions }

func (a *app) signOut(ctx context.Context, id int64, handle string) {
	for s, err := range a.sessions.FindByUserID(ctx, id) {
		if err == nil && s.Handle() == handle {
			s.Destroy() // want `this Destroy changes nothing: no hook saves a session that was found, so call Save after it`
		}
	}
}

func (a *app) notify(ctx context.Context) error {
	for s, err := range a.sessions.All(ctx) {
		if err != nil {
			return err
		}
		if s != nil && s.Theme() == "dark" {
			s.SetNotice("We are closing.") // want `this SetNotice changes nothing`
			s.AddCartItem("captain", 1)
		}
	}
	return nil
}

func (a *app) one(ctx context.Context, handle string) error {
	s, err := a.sessions.Find(ctx, handle)
	if err == nil {
		s.DeleteCartItem("captain") // want `this DeleteCartItem changes nothing`
	}
	return err
}

func (a *app) saved(ctx context.Context, handle string) error {
	s, err := a.sessions.Find(ctx, handle)
	if err != nil {
		return err
	}
	s.Destroy()
	return s.Save(ctx)
}

func (a *app) savedLater(ctx context.Context, id int64) (err error) {
	for s, findErr := range a.sessions.FindByUserID(ctx, id) {
		if err = findErr; err != nil {
			return err
		}
		s.ClearTheme()
		defer func() { err = s.Save(ctx) }()
	}
	return nil
}

func (a *app) read(ctx context.Context, id int64) {
	for s, err := range a.sessions.FindByUserID(ctx, id) {
		log.Print(s.Name(), s.TakeNotice(), s.LastUsedAt(), err)
	}
}

func (a *app) passedOn(ctx context.Context, id int64, save func(*session.VisitorSession)) {
	for s, err := range a.sessions.FindByUserID(ctx, id) {
		if err == nil {
			s.SetTheme("dark")
			save(s)
		}
	}
}

func (a *app) returned(ctx context.Context, handle string) (*session.VisitorSession, error) {
	s, err := a.sessions.Find(ctx, handle)
	if err != nil {
		return nil, err
	}
	s.SetTheme("dark")
	return s, nil
}

func ofRequest(ctx context.Context) {
	s := session.VisitorFrom(ctx)
	s.SetTheme("dark")
}
