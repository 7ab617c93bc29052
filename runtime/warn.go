package runtime

import "context"

// warn reports what is no reason not to start: keys that seem to have been typed, and
// what the store has found where it keeps the sessions.
func (e *engine) warn(passPhrases []string) {
	report := func(kind EventKind, field string, err error) {
		e.config.OnEvent(context.Background(), Event{Kind: kind, Session: e.name, Field: field, Err: err})
	}
	for _, setting := range passPhrases {
		report(EventPassPhrase, setting, errPassPhrase)
	}
	w, ok := Ability[Warner](e.store)
	if !ok {
		return
	}
	for _, err := range w.Warnings() {
		report(EventStoreSetting, "", err)
	}
}
