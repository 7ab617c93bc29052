package lively

// An Event is what a page tells: something that the visitor has done.
type Event struct {
	// Root names the page, as its data-live-root says.
	Root string
	// Component is the key of the element that the event is about.
	Component string
	// Name is what the page calls the event; it chooses the handler.
	Name string
	// Value is what came along: nil, bool, int64, uint64 (beyond int64), float64,
	// string, []byte, []any or map[string]any. A form sends a map of its fields.
	// It is a visitor's input.
	Value any
	// Document says that the event is one of the document rather than of an
	// element.
	Document bool
}

// Field returns the text of a form's field, of several the first one. It is empty
// where there is none or it is no text.
func (e Event) Field(name string) string {
	form, _ := e.Value.(map[string]any)
	switch v := form[name].(type) {
	case string:
		return v
	case []any:
		if len(v) > 0 {
			text, _ := v[0].(string)
			return text
		}
	}
	return ""
}

// A Navigation is a page's wish for another page without loading it.
type Navigation struct {
	Previous string            // root of the page that is shown
	Next     string            // root of the page that is wanted; empty: not known
	Path     string            // with the query; a visitor's input
	Headers  map[string]string // as the page would send them; a visitor's input
}

// A Page answers a [Navigation].
type Page struct {
	Path      string
	Reload    bool    // let the browser load Path instead
	Component string  // root of the page that is shown then
	Patches   []Patch // turn the old page into the new one
	Partial   bool    // more of it follows
}
