package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A Case is a schedule in a file, with just enough to answer who is on call. Users are arbitrary
// words.
type Case struct{ schedule *schedule.Schedule }

// Schedule returns the case's schedule. Its time zone is that of the lowest layer of the latest
// version.
func (c Case) Schedule() *schedule.Schedule { return c.schedule }

// A Rendering is every shift of a period.
type Rendering struct {
	Shifts []CaseShift `json:"shifts"`
}

// A CaseShift is a maximal period with the same people on call.
type CaseShift struct {
	Start  time.Time       `json:"start"`
	End    time.Time       `json:"end"`
	OnCall []oncall.UserID `json:"on_call"`
}

// A CaseAnswer is who is on call at an instant, and when that changes.
type CaseAnswer struct {
	At         time.Time       `json:"at"`
	OnCall     []oncall.UserID `json:"on_call"`
	NextChange *time.Time      `json:"next_change"`
}

// Render returns the shifts from one instant to another, ready for JSON.
func (c Case) Render(from, to time.Time) Rendering {
	r := Rendering{Shifts: []CaseShift{}}
	for _, s := range c.schedule.Shifts(from, to, schedule.RolePrimary) {
		r.Shifts = append(r.Shifts, CaseShift{Start: s.Start, End: s.End, OnCall: s.Users})
	}
	return r
}

// At answers for each instant, ready for JSON. Only changes before until count.
func (c Case) At(instants []time.Time, until time.Time) []CaseAnswer {
	answers := make([]CaseAnswer, 0, len(instants))
	for _, t := range instants {
		a := CaseAnswer{At: t.UTC(), OnCall: c.schedule.At(t, schedule.RolePrimary)}
		if change, ok := c.schedule.NextChange(t, until, schedule.RolePrimary); ok {
			a.NextChange = &change
		}
		answers = append(answers, a)
	}
	return answers
}

// ParseCase parses a case: an object with users, schedule and overrides; other keys are ignored. An
// error is one sentence that names the place.
func ParseCase(data []byte) (Case, error) {
	data = intake.WithoutBOM(data)
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return Case{}, jsonRefusal(data, decoder.InputOffset(), err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Case{}, oncall.Refuse("The case goes on after its end, on line %d.", lineAt(data, decoder.InputOffset()))
	}
	s, err := caseSchedule(value)
	if err != nil {
		return Case{}, err
	}
	compiled, err := schedule.Compile(s)
	if err != nil {
		return Case{}, err
	}
	return Case{schedule: compiled}, nil
}

func jsonRefusal(data []byte, offset int64, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return oncall.Refuse("The case is not valid JSON: it ends too early.")
	}
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		offset = syntax.Offset
	}
	return oncall.Refuse("The case is not valid JSON on line %d: %s.", lineAt(data, offset), err)
}

func lineAt(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(offset, int64(len(data)))], []byte("\n"))
}

// A node is a value in the file and its place. The first error anywhere is kept, and everything
// after it reads as empty.
type node struct {
	path  string
	value any
	found bool
	wrong *error
}

func (n node) refuse(format string, args ...any) {
	if *n.wrong == nil {
		path := n.path
		if path == "" {
			path = "The case"
		}
		*n.wrong = oncall.Refuse("%s %s.", path, fmt.Sprintf(format, args...))
	}
}

func (n node) refuseType(wanted string) {
	if n.found {
		n.refuse("is not %s", wanted)
	} else {
		n.refuse("is missing")
	}
}

// get returns a member of an object. Null counts as missing.
func (n node) get(key string) node {
	path := key
	if n.path != "" {
		path = n.path + "." + key
	}
	object, ok := n.value.(map[string]any)
	if !ok {
		n.refuseType("an object")
	}
	value := object[key]
	return node{path: path, value: value, found: value != nil, wrong: n.wrong}
}

// list returns the elements of an array.
func (n node) list() []node {
	values, ok := n.value.([]any)
	if !ok {
		n.refuseType("a list")
	}
	nodes := make([]node, len(values))
	for i, v := range values {
		nodes[i] = node{path: fmt.Sprintf("%s[%d]", n.path, i), value: v, found: true, wrong: n.wrong}
	}
	return nodes
}

func (n node) text() string {
	s, ok := n.value.(string)
	if !ok {
		n.refuseType("a string")
	}
	return s
}

func (n node) number() int {
	text, _ := n.value.(json.Number)
	i, err := text.Int64()
	if err != nil {
		n.refuseType("a whole number")
	}
	return int(i)
}

func (n node) instant() time.Time {
	t, err := time.Parse(time.RFC3339, n.text())
	if err != nil {
		n.refuse("is not an instant such as \"2026-03-08T07:00:00Z\"")
	}
	return t
}

func (n node) date() schedule.Date {
	d, err := schedule.ParseDate(n.text())
	if err != nil {
		n.refuse("is not a date such as \"2026-03-07\"")
	}
	return d
}

func (n node) timeOfDay() schedule.TimeOfDay {
	t, err := schedule.ParseTimeOfDay(n.text())
	if err != nil {
		n.refuse("is not a time such as \"09:00\"")
	}
	return t
}

func (n node) weekday() schedule.Weekday {
	d, err := schedule.ParseWeekday(n.text())
	if err != nil {
		n.refuse("is not a weekday such as \"mon\"")
	}
	return d
}

// users reads a list of user ids.
func (n node) users() []oncall.UserID {
	users := []oncall.UserID{}
	for _, u := range n.list() {
		users = append(users, u.id())
	}
	return users
}

func (n node) id() oncall.UserID {
	s := n.text()
	if s == "" {
		n.refuse("is empty")
	}
	return oncall.UserID(s)
}

// span reads start and end, and refuses an end that is not after the start.
func (n node) span() (time.Time, time.Time) {
	start, end := n.get("start").instant(), n.get("end").instant()
	if !start.Before(end) {
		n.refuse("has an end that is not after its start")
	}
	return start, end
}

// caseSchedule reads a complete case.
func caseSchedule(value any) (schedule.Definition, error) {
	var wrong error
	root := node{value: value, found: true, wrong: &wrong}
	definition := schedule.Definition{Inactive: map[oncall.UserID][]schedule.Span{}}
	if users := root.get("users"); users.found {
		for _, u := range users.list() {
			id := u.get("id").id()
			if _, twice := definition.Inactive[id]; twice {
				u.refuse("is %q for the second time", id)
			}
			definition.Inactive[id] = u.get("inactive").away()
		}
	}
	for i, v := range root.get("schedule").get("versions").list() {
		version := v.version()
		if i > 0 && version.Begins() < definition.Versions[i-1].Begins() {
			v.refuse("begins before the version in front of it")
		}
		definition.Versions = append(definition.Versions, version)
	}
	if n := len(definition.Versions); n > 0 && len(definition.Versions[n-1].Rotations) > 0 {
		definition.TimeZone = definition.Versions[n-1].Rotations[0].TimeZone
	}
	if overrides := root.get("overrides"); overrides.found {
		definition.Overrides = overrides.overrides()
	}
	return definition, wrong
}

func (n node) away() []schedule.Span {
	spans := []schedule.Span{}
	if !n.found {
		return spans
	}
	for _, a := range n.list() {
		s := schedule.Span{Start: a.get("start").instant()}
		if end := a.get("end"); end.found {
			_, until := a.span()
			s.End = &until
		}
		spans = append(spans, s)
	}
	return spans
}

func (n node) version() schedule.Version {
	var v schedule.Version
	if from := n.get("effective_from"); from.found {
		t := from.instant()
		v.EffectiveFrom = &t
	}
	for i, l := range n.get("layers").list() {
		r := l.rotation()
		r.Priority = i // the last layer is on top
		v.Rotations = append(v.Rotations, r)
	}
	return v
}

// rotation reads a layer.
func (n node) rotation() schedule.Rotation {
	rotation := schedule.Rotation{Name: n.path}
	if name := n.get("name"); name.found {
		rotation.Name = name.text()
	}
	rotation.TimeZone = n.get("timezone").text()
	rotation.StartDate = n.get("start_date").date()
	units := map[string]schedule.Unit{"hours": schedule.HourUnit, "daily": schedule.DayUnit, "weekly": schedule.WeekUnit, "monthly": schedule.MonthUnit}
	period := n.get("rotation")
	if kind := period.get("type"); kind.text() == "cron" {
		rotation.Period.Cron = period.get("expr").text()
		if rotation.Period.Cron == "" {
			period.get("expr").refuse("is empty")
		}
	} else {
		rotation.Period.Unit = units[kind.text()]
		if rotation.Period.Unit == "" {
			kind.refuse("is none of daily, weekly, monthly, hours, cron")
		}
		if every := period.get("every"); every.found {
			rotation.Period.Every = every.number()
			if rotation.Period.Every < 1 {
				every.refuse("is less than 1")
			}
		}
		rotation.HandOff = n.get("handoff").timeOfDay()
	}
	for _, turn := range n.get("participants").list() {
		rotation.Turns = append(rotation.Turns, turn.users())
	}
	if len(rotation.Turns) == 0 {
		n.get("participants").refuse("is empty")
	}
	if first := n.get("first_turn"); first.found {
		rotation.FirstTurn = first.number()
	}
	if until := n.get("until"); until.found {
		t := until.instant()
		rotation.Until = &t
	}
	if windows := n.get("restrictions"); windows.found {
		for _, w := range windows.list() {
			rotation.Windows = append(rotation.Windows, w.window())
		}
	}
	return rotation
}

// window reads a layer's restriction.
func (n node) window() schedule.Window {
	window := schedule.Window{From: n.get("from").timeOfDay(), To: n.get("to").timeOfDay()}
	if days := n.get("days"); days.found {
		for _, d := range days.list() {
			window.Days = append(window.Days, d.weekday())
		}
		if len(window.Days) == 0 {
			days.refuse("is empty")
		}
		return window
	}
	window.FromDay, window.ToDay = n.get("from_day").weekday(), n.get("to_day").weekday()
	return window
}

// overrides reads the list of overrides and numbers them in the order of seq.
func (n node) overrides() []schedule.Override {
	var all []schedule.Override
	seen := map[oncall.OverrideID]bool{}
	for _, o := range n.list() {
		override := schedule.Override{ID: oncall.OverrideID(o.get("seq").number()), Kind: schedule.OverrideKind(o.get("kind").text())}
		override.Start, override.End = o.span()
		switch override.Kind {
		case schedule.OverrideCover:
			override.Users = o.get("users").users()
		case schedule.OverrideSwap:
			override.From, override.To = o.get("from").id(), o.get("to").id()
		default:
			o.get("kind").refuse("is neither \"cover\" nor \"swap\"")
		}
		if seen[override.ID] {
			o.get("seq").refuse("is %d for the second time", override.ID)
		}
		seen[override.ID] = true
		all = append(all, override)
	}
	slices.SortFunc(all, func(a, b schedule.Override) int { return cmp.Compare(a.ID, b.ID) })
	for i := range all {
		all[i].ID = oncall.OverrideID(i + 1)
	}
	// A cover by nobody and a swap with oneself have no effect.
	return slices.DeleteFunc(all, func(o schedule.Override) bool {
		return o.Kind == schedule.OverrideCover && len(o.Users) == 0 || o.Kind == schedule.OverrideSwap && o.From == o.To
	})
}
