// Package ical writes shifts as a calendar that people subscribe to, and reads time off from
// calendars that people export (RFC 5545).
package ical

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/emersion/go-ical"
)

// A Feed is a calendar to write. It depends only on what is stored, so the same data gives the
// same bytes.
type Feed struct {
	Name     string
	Note     string    // a description of the calendar
	Revision int64     // how often the data has changed; never decreases
	Changed  time.Time // when it last changed
	Events   []Event
}

// An Event is a shift in somebody's calendar.
type Event struct {
	Key        string // identifies the shift, however it changes
	Start, End time.Time
	Summary    string
	Note       string
}

const (
	stamp   = "20060102T150405Z"
	refresh = "PT1H" // how often calendars should fetch it again; Google ignores this
)

// Write writes a feed so that Google Calendar, Outlook and Apple Calendar accept it. All times
// are in UTC, so that no time zones have to be defined.
func Write(w io.Writer, f Feed) error {
	c := lineWriter{w: w}
	c.line("BEGIN", "VCALENDAR")
	c.line("VERSION", "2.0")
	c.line("PRODID", "-//Watchbill//On call//EN")
	c.line("CALSCALE", "GREGORIAN")
	c.line("METHOD", "PUBLISH")
	c.text("X-WR-CALNAME", f.Name)
	c.text("NAME", f.Name) // the name's property in RFC 7986
	if f.Note != "" {
		c.text("X-WR-CALDESC", f.Note)
	}
	c.line("REFRESH-INTERVAL;VALUE=DURATION", refresh)
	c.line("X-PUBLISHED-TTL", refresh)
	for _, e := range f.Events {
		c.line("BEGIN", ical.CompEvent)
		c.line(ical.PropUID, uid(e.Key))
		c.line(ical.PropDateTimeStamp, f.Changed.UTC().Format(stamp))
		c.line(ical.PropLastModified, f.Changed.UTC().Format(stamp))
		c.line(ical.PropSequence, strconv.FormatInt(f.Revision, 10))
		c.line(ical.PropDateTimeStart, e.Start.UTC().Format(stamp))
		c.line(ical.PropDateTimeEnd, e.End.UTC().Format(stamp))
		c.text(ical.PropSummary, e.Summary)
		if e.Note != "" {
			c.text(ical.PropDescription, e.Note)
		}
		c.line(ical.PropStatus, "CONFIRMED")
		c.line(ical.PropTransparency, "TRANSPARENT") // being on call does not make a person busy
		c.line("X-MICROSOFT-CDO-BUSYSTATUS", "FREE")
		c.line("END", ical.CompEvent)
	}
	c.line("END", "VCALENDAR")
	if c.err != nil {
		return fmt.Errorf("write calendar: %w", c.err)
	}
	return nil
}

// uid makes an id that no other program uses.
func uid(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16]) + "@watchbill"
}

// A lineWriter writes content lines and keeps the first error.
type lineWriter struct {
	w   io.Writer
	err error
}

// textEscaper escapes text as calendars require.
var textEscaper = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`)

// maxText limits how many characters of a text are written; programs display far fewer.
const maxText = 2_000

func (w *lineWriter) text(name, text string) {
	if len(text) > maxText {
		runes := []rune(text)
		text = string(runes[:min(len(runes), maxText)])
	}
	w.line(name, strings.Map(printable, strings.ToValidUTF8(textEscaper.Replace(text), "")))
}

// printable drops characters that could break a line or reverse it. Line feeds have been escaped, or
// become blanks.
func printable(r rune) rune {
	switch {
	case r == '\t' || r == '\n':
		return r
	case r == '\u2028' || r == '\u2029':
		return ' '
	case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
		return -1
	}
	return r
}

// line writes a content line, folded after at most 75 bytes and never within a character.
func (w *lineWriter) line(name, value string) {
	rest := name + ":" + value
	var b strings.Builder
	for room := 75; len(rest) > room; room = 74 { // a continuation line begins with a space
		at := room
		for !utf8.RuneStart(rest[at]) {
			at--
		}
		b.WriteString(rest[:at] + "\r\n ")
		rest = rest[at:]
	}
	b.WriteString(rest + "\r\n")
	if w.err == nil {
		_, w.err = io.WriteString(w.w, b.String())
	}
}
