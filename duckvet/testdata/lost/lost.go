package lost

import (
	"fmt"
	"slices"
	"strings"

	"github.com/duckgen/duckgen/examples/shop/session"
)

func field(s *session.VisitorSession) {
	d := s.Device()
	d.Name = "Firefox" // want `this changes a copy of what Device returned, and nothing uses it: no session has the change until it is set`
}

func read(s *session.VisitorSession) {
	d := s.Device()
	if d.Name == "" {
		fmt.Println(d.Addr)
		d.Name += "Firefox on " + d.Addr // want `a copy of what Device returned`
		d.Addr = ""
	}
}

func snapshot(s *session.VisitorSession) {
	var v = s.Snapshot()
	v.Visits++          // want `a copy of what Snapshot returned`
	v.Cart["captain"]++ // which is the same
	(v.Device).Name = ""
}

func atOnce(s *session.VisitorSession) {
	s.RecentSlice()[0] = "captain"                               // want `a copy of what RecentSlice returned`
	s.Snapshot().Cart["captain"], s.Snapshot().Recent[0] = 1, "" // want `a copy of what Snapshot returned` `a copy of what Snapshot returned`
}

func slice(s *session.VisitorSession) {
	list := s.RecentSlice()
	list[0] = "captain" // want `a copy of what RecentSlice returned`
}

func set(s *session.VisitorSession) {
	d := s.Device()
	d.Name = "Firefox"
	s.SetDevice(d)
}

func shown(s *session.VisitorSession) {
	v := s.Snapshot()
	v.Name = strings.ToUpper(v.Name)
	fmt.Println(v.Name)
}

func handedOn(s *session.VisitorSession, show func(*session.Visitor)) {
	v := s.Snapshot()
	show(&v)
	v.Name = ""
}

func returned(s *session.VisitorSession) session.Visitor {
	v := s.Snapshot()
	v.Name = ""
	return v
}

func sorted(s *session.VisitorSession) {
	list := s.RecentSlice()
	list[0] = "captain"
	slices.Sort(list)
	s.SetRecent(list)
}

func counted(s *session.VisitorSession, more func() bool) {
	v := s.Snapshot()
	for more() {
		if v.Visits > 3 {
			return
		}
		v.Visits++
	}
}

func eachTime(s *session.VisitorSession) {
	for range 3 {
		d := s.Device()
		d.Name = "Firefox" // want `a copy of what Device returned`
	}
}

func inAFunction(s *session.VisitorSession, run func(func())) {
	d := s.Device()
	run(func() { d.Name = "Firefox" })
	s.SetDevice(d)
}

func another(s *session.VisitorSession, other session.Device) {
	d := s.Device()
	fmt.Println(d)
	d = other
	d.Name = "Firefox"
}

func pointed(s *session.VisitorSession) *string {
	d := s.Device()
	name := &d.Name
	d.Name = "Firefox"
	return name
}

func own() {
	var d session.Device
	d.Name = "Firefox"
}
