package oncall

import (
	"slices"
	"strings"
	"time"
)

// latest returns the later of two instants.
func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// without returns the elements of some that are not in others.
func without[T comparable](some, others []T) []T {
	return slices.DeleteFunc(slices.Clone(some), func(t T) bool { return slices.Contains(others, t) })
}

// appendNew appends s unless all contains it.
func appendNew(all []string, s string) []string {
	if slices.Contains(all, s) {
		return all
	}
	return append(all, s)
}

// cutText puts text on one line, and truncates it to most characters.
func cutText(text string, most int) string {
	text = Storable(strings.Join(strings.Fields(text), " "))
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}

// Storable returns a text without the characters that PostgreSQL can't store: NUL, and anything that isn't UTF-8.
func Storable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")
}
