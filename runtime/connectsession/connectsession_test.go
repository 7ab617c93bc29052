package connectsession_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/connectsession"
	"github.com/duckgen/duckgen/runtime/memstore"
)

type text = wrapperspb.StringValue

// rename returns the name, and sets it to the text of the call. It fails if that is
// "bad" and panics if it is "worse".
func rename(ctx context.Context, call *connect.Request[text]) (*connect.Response[text], error) {
	v := session.VisitorFrom(ctx)
	before := v.Name()
	switch after := call.Msg.Value; after {
	case "":
	case "bad":
		v.SetName(after)
		return nil, errors.New("a bad name")
	case "worse":
		v.SetName(after)
		panic(after)
	default:
		v.SetName(after)
	}
	return connect.NewResponse(wrapperspb.String(before)), nil
}

// stream renames before its first message, and fails after another name.
func stream(ctx context.Context, call *connect.Request[text], to *connect.ServerStream[text]) error {
	v := session.VisitorFrom(ctx)
	v.SetName(call.Msg.Value)
	if err := to.Send(call.Msg); err != nil {
		return err
	}
	v.SetName("bad")
	return errors.New("a bad end")
}

// serve returns what serves the calls, and a client for it with cookies.
func serve(t *testing.T) (*httptest.Server, *http.Client) {
	t.Helper()
	store := memstore.New()
	t.Cleanup(func() { store.Close() })
	sessions, err := session.NewVisitorSessions(store, func(c *runtime.Config) { c.Cookie.Secure = false })
	if err != nil {
		t.Fatal(err)
	}
	sorry := func(context.Context, connect.Spec, http.Header, any) error { return errors.New("that went wrong") }
	options := []connect.HandlerOption{
		connect.WithInterceptors(connectsession.Interceptor(session.VisitorFrom)), connect.WithRecover(sorry),
	}
	mux := http.NewServeMux()
	mux.Handle("/names/rename", connect.NewUnaryHandler("/names/rename", rename, options...))
	mux.Handle("/names/stream", connect.NewServerStreamHandler("/names/stream", stream, options...))
	server := httptest.NewUnstartedServer(sessions.Middleware(mux))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return server, &http.Client{Transport: server.Client().Transport, Jar: jar}
}

func TestNothingOfAFailedCallIsStored(t *testing.T) {
	for name, options := range map[string][]connect.ClientOption{
		"connect": nil, "grpc": {connect.WithGRPC()}, "grpc-web": {connect.WithGRPCWeb()},
	} {
		t.Run(name, func(t *testing.T) {
			server, client := serve(t)
			names := connect.NewClient[text, text](client, server.URL+"/names/rename", options...)
			streams := connect.NewClient[text, text](client, server.URL+"/names/stream", options...)
			call := func(name string) (string, error) {
				answer, err := names.CallUnary(t.Context(), connect.NewRequest(wrapperspb.String(name)))
				if err != nil {
					return "", err
				}
				return answer.Msg.Value, nil
			}
			want := func(what, want string) {
				t.Helper()
				if got, err := call(""); err != nil || got != want {
					t.Errorf("%s: the name is %q, %v, want %q", what, got, err, want)
				}
			}
			if _, err := call("Ada"); err != nil {
				t.Fatal(err)
			}
			want("a call", "Ada")
			for _, name := range []string{"bad", "worse"} {
				if _, err := call(name); err == nil {
					t.Errorf("the call for a %s name succeeds", name)
				}
				want("a failed call", "Ada")
			}
			lines, err := streams.CallServerStream(t.Context(), connect.NewRequest(wrapperspb.String("Bob")))
			if err != nil {
				t.Fatal(err)
			}
			defer lines.Close()
			if !lines.Receive() || lines.Receive() || lines.Err() == nil {
				t.Errorf("the stream ends with %v", lines.Err())
			}
			want("a failed stream", "Bob")
		})
	}
}
