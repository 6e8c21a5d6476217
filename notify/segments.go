package notify

import (
	"strings"
	"unicode"
	"unicode/utf16"

	"golang.org/x/text/unicode/norm"
)

// An SMS is sent and paid for in segments: one of 160 characters in GSM-7, or several of 153. A
// single character outside GSM-7 turns the whole text into UCS-2, with 70 and 67. So a page is
// converted to GSM-7 and cut to two segments.
const (
	maxSegments = 2

	gsmAlone, gsmJoined   = 160, 153
	wideAlone, wideJoined = 70, 67
)

// gsmBasic are the characters that take one septet, gsmExtended those that take two.
const (
	gsmBasic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtended = "\f^{}\\[~]|€"
)

// septets is how many septets each GSM-7 character takes.
var septets = func() map[rune]int {
	costs := map[rune]int{}
	for _, r := range gsmBasic {
		costs[r] = 1
	}
	for _, r := range gsmExtended {
		costs[r] = 2
	}
	return costs
}()

// lookalikes replaces typographic characters that people and monitors use unintentionally.
var lookalikes = strings.NewReplacer(
	"‘", "'", "’", "'", "‚", "'", "‛", "'", "′", "'", "`", "'", "´", "'",
	"“", `"`, "”", `"`, "„", `"`, "″", `"`, "«", `"`, "»", `"`,
	"‐", "-", "‑", "-", "‒", "-", "–", "-", "—", "-", "―", "-", "−", "-",
	"…", "...", "•", "-", "·", ".", "×", "x", "→", "->", "←", "<-", "⇒", "=>", "≥", ">=", "≤", "<=", "≠", "!=",
	"\t", " ", "\u00a0", " ", "\u2007", " ", "\u2009", " ", "\u202f", " ",
	"\u200b", "", "\u200c", "", "\u200d", "", "\u2060", "", "\ufeff", "", "\u00ad", "", "\ufe0f", "",
	"œ", "oe", "Œ", "OE", "ł", "l", "Ł", "L", "đ", "d", "Đ", "D", "ı", "i", "þ", "th", "Þ", "Th", "ð", "d",
	"µ", "u", "μ", "u", "²", "2", "³", "3", "°", " deg", "©", "(c)", "®", "(r)", "™", "(tm)",
)

// toGSM7 converts a text to GSM-7: look-alikes are replaced, and accents and symbols that it lacks
// are dropped. A text with letters of another script stays as it is, because question marks help
// nobody.
func toGSM7(text string) string {
	var b strings.Builder
	for _, r := range lookalikes.Replace(text) {
		switch {
		case septets[r] > 0:
			b.WriteRune(r)
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case unicode.IsControl(r):
		default:
			base := strings.Map(func(r rune) rune {
				if septets[r] == 0 {
					return -1
				}
				return r
			}, norm.NFKD.String(string(r)))
			if base == "" && unicode.In(r, unicode.Letter, unicode.Number) {
				return strings.Map(printable, text)
			}
			b.WriteString(base)
		}
	}
	return b.String()
}

// printable drops control characters.
func printable(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case unicode.IsControl(r):
		return -1
	}
	return r
}

// segments counts the segments of a text as the carrier does.
func segments(text string) int {
	narrow := func(r rune) int { return septets[r] }
	for _, r := range text {
		if septets[r] == 0 {
			return countSegments(text, wideAlone, wideJoined, func(r rune) int { return len(utf16.AppendRune(nil, r)) })
		}
	}
	return countSegments(text, gsmAlone, gsmJoined, narrow)
}

// countSegments counts the segments of a text whose characters have the given width and are never split.
func countSegments(text string, alone, joined int, width func(rune) int) int {
	all := 0
	for _, r := range text {
		all += width(r)
	}
	if all <= alone {
		return min(all, 1)
	}
	count, used := 1, 0
	for _, r := range text {
		if w := width(r); used+w > joined {
			count, used = count+1, w
		} else {
			used += w
		}
	}
	return count
}

// fit puts variable text between the parts that must be there, cut so that the whole takes at most
// two segments.
func fit(head, variable, tail string) string {
	head, variable, tail = toGSM7(head), strings.TrimSpace(toGSM7(variable)), toGSM7(tail)
	if whole := head + variable + tail; segments(whole) <= maxSegments {
		return whole
	}
	cut := []rune(variable)
	low, high := 0, len(cut) // low characters fit, high don't
	for low+1 < high {
		if mid := (low + high) / 2; segments(head+string(cut[:mid])+"..."+tail) <= maxSegments {
			low = mid
		} else {
			high = mid
		}
	}
	return head + strings.TrimSpace(string(cut[:low])) + "..." + tail
}
