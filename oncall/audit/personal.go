package audit

import (
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// ofPerson is an entry about somebody.
func ofPerson(user oncall.UserID, act Act, changes ...Change) Entry {
	return Entry{Kind: Person, About: user, Act: act, Changes: changes}
}

// span writes from when to when, as it is unmistakable a year later and for readers anywhere.
func span(from, to time.Time) oncall.Sentence { return oncall.Say("%s to %s UTC", day(from), day(to)) }

// day writes an instant in UTC.
func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

// TimeOff is somebody saying that they, or another, will be away.
func TimeOff(t oncall.TimeOff) Entry {
	return ofPerson(t.UserID, TimeOffAdded, Change{What: "away", After: span(t.Start, t.End)})
}

// NoTimeOff takes that back.
func NoTimeOff(t oncall.TimeOff) Entry {
	return ofPerson(t.UserID, TimeOffCancelled, Change{What: "away", Before: span(t.Start, t.End)})
}
