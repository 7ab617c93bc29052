package main

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/danielgtaylor/huma/v2/sse"

	"github.com/duckgen/duckgen/examples/routers/app"
	"github.com/duckgen/duckgen/examples/routers/app/session"
)

// text is an answer that is not JSON.
type text struct {
	Kind string `header:"Content-Type"`
	Body []byte
}

func plain(s string) *text { return &text{"text/plain; charset=utf-8", []byte(s)} }

// elsewhere leads the browser to another page.
type elsewhere struct {
	Status   int
	Location string `header:"Location"`
}

func home() *elsewhere { return &elsewhere{http.StatusSeeOther, "/"} }

func health(context.Context, *struct{}) (*text, error) { return plain("ok\n"), nil }

func about(context.Context, *struct{}) (*text, error) { return plain("A kiosk.\n"), nil }

func show(ctx context.Context, _ *struct{}) (*text, error) {
	var b bytes.Buffer
	err := app.WritePage(&b, app.Show(session.GuestFrom(ctx)))
	return &text{"text/html; charset=utf-8", b.Bytes()}, err
}

func cart(ctx context.Context, _ *struct{}) (*struct{ Body app.View }, error) {
	return &struct{ Body app.View }{app.Look(session.GuestFrom(ctx))}, nil
}

func add(ctx context.Context, in *struct {
	Kind string `path:"kind"`
}) (*elsewhere, error) {
	if !app.Add(session.GuestFrom(ctx), in.Kind) {
		return nil, huma.Error404NotFound(app.Apology(ctx, "there is no such thing"))
	}
	return home(), nil
}

func signIn(ctx context.Context, in *struct {
	RawBody []byte `contentType:"application/x-www-form-urlencoded"`
}) (*elsewhere, error) {
	form, err := url.ParseQuery(string(in.RawBody))
	if err != nil {
		return nil, huma.Error400BadRequest("the form cannot be read", err)
	}
	app.SignIn(session.GuestFrom(ctx), form.Get("name"))
	return home(), nil
}

func signOut(ctx context.Context, _ *struct{}) (*elsewhere, error) {
	app.SignOut(session.GuestFrom(ctx))
	return home(), nil
}

// order streams. The first Flush stores the session; if that fails, it returns an
// error, and the answer is not the operation's any more.
func order(k *app.Kiosk) func(context.Context, *struct{}) (*huma.StreamResponse, error) {
	return func(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
		o := app.Take(session.GuestFrom(ctx))
		return &huma.StreamResponse{Body: func(c huma.Context) {
			_, w := humago.Unwrap(c)
			out := http.NewResponseController(w)
			err := k.Deliver(ctx, o, func(line string) error {
				_, _ = fmt.Fprintln(w, line)
				return out.Flush()
			})
			if err != nil {
				log.Print(err)
			}
		}}, nil
	}
}

type (
	greeting  string
	announced string
)

// events are the types of what a feed sends, by their names.
var events = map[string]any{"greeting": greeting(""), "order": announced("")}

func feed(k *app.Kiosk) func(context.Context, *struct{}, sse.Sender) {
	return func(ctx context.Context, _ *struct{}, send sse.Sender) {
		err := k.Follow(ctx, app.Enter(session.GuestFrom(ctx)), func(name, data string) error {
			if name == "greeting" {
				return send.Data(greeting(data))
			}
			return send.Data(announced(data))
		})
		if err != nil {
			log.Print(err)
		}
	}
}

func fail(ctx context.Context, _ *struct{}) (*struct{}, error) {
	return nil, huma.Error500InternalServerError(app.Apology(ctx, app.Spill(session.GuestFrom(ctx)).Error()))
}

// spill panics after it has changed the session.
func spill(ctx context.Context, _ *struct{}) (*struct{}, error) {
	panic(app.Spill(session.GuestFrom(ctx)))
}
