// Command operator lists, shows and ends the sessions of the shop from a terminal. It
// shows what is no secret: the handle of a session opens nothing.
//
//	operator -db shop.db list
//	operator -db shop.db show HANDLE
//	operator -db shop.db end HANDLE
//	operator -db shop.db end-user ID
//	operator -db shop.db end-all
//	operator -db shop.db ping
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime/sqlitestore"
)

func main() {
	db := flag.String("db", "shop.db", "SQLite `file` that keeps the sessions")
	flag.Parse()
	if err := run(context.Background(), *db, flag.Args(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "operator:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, db string, args []string, out io.Writer) error {
	if _, err := os.Stat(db); err != nil { // Open would make the file
		return err
	}
	store, err := sqlitestore.Open(ctx, db)
	if err != nil {
		return err
	}
	defer store.Close()
	sessions, err := session.NewVisitorSessions(store)
	if err != nil {
		return err
	}
	return operate(ctx, sessions, args, out)
}

var errUsage = errors.New("want list, show HANDLE, end HANDLE, end-user ID, end-all or ping")

func operate(ctx context.Context, sessions *session.VisitorSessions, args []string, out io.Writer) error {
	command, of := "", ""
	switch len(args) {
	case 2:
		of = args[1]
		fallthrough
	case 1:
		command = args[0]
	}
	switch {
	case command == "list" && of == "":
		return list(ctx, sessions, out)
	case command == "show" && of != "":
		s, err := sessions.Find(ctx, of)
		if err != nil {
			return err
		}
		return show(out, s)
	case command == "end" && of != "":
		return end(ctx, sessions, of)
	case command == "end-user" && of != "":
		id, err := strconv.ParseInt(of, 10, 64)
		if err != nil {
			return err
		}
		return ended(out)(sessions.RevokeByUserID(ctx, id))
	case command == "end-all" && of == "":
		return ended(out)(sessions.RevokeAll(ctx))
	case command == "ping" && of == "":
		return sessions.Ping(ctx)
	}
	return errUsage
}

func list(ctx context.Context, sessions *session.VisitorSessions, out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "HANDLE\tUSER\tCREATED\tLAST USED\tEXPIRES")
	for s, err := range sessions.All(ctx) {
		if err != nil {
			return errors.Join(err, w.Flush())
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\n", s.Handle(), s.UserID(), text(s.CreatedAt()), text(s.LastUsedAt()), text(s.ExpiresAt()))
	}
	return w.Flush()
}

func show(out io.Writer, s *session.VisitorSession) error {
	_, err := fmt.Fprintf(out, "handle     %s\nuser       %d\nname       %s\ntheme      %s\nin cart    %d\ncreated    %s\nsigned in  %s\nlast used  %s\nexpires    %s\n",
		s.Handle(), s.UserID(), s.Name(), s.Theme(), s.CartLen(),
		text(s.CreatedAt()), text(s.SignedInAt()), text(s.LastUsedAt()), text(s.ExpiresAt()))
	return err
}

// end ends a session wherever it is used: its requests under way store nothing, and
// its connections close.
func end(ctx context.Context, sessions *session.VisitorSessions, handle string) error {
	s, err := sessions.Find(ctx, handle)
	if err != nil {
		return err
	}
	s.Destroy()
	return s.Save(ctx)
}

// ended says how many sessions have ended, also if there was an error.
func ended(out io.Writer) func(int, error) error {
	return func(n int, err error) error {
		_, failed := fmt.Fprintln(out, n, "sessions ended")
		return errors.Join(err, failed)
	}
}

func text(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateTime)
}
