package oncall

import "strings"

// maxTypedLength is the longest text that can be a misspelt name, in bytes.
const maxTypedLength = 200

// Nearest returns the name that was probably meant; "" if none is close.
func Nearest(typed string, names []string) string {
	if len(typed) > maxTypedLength {
		return ""
	}
	best, distance := "", max(2, len([]rune(typed))/3)+1
	for _, name := range names {
		if d := edits([]rune(strings.ToLower(typed)), []rune(strings.ToLower(name))); d < distance {
			best, distance = name, d
		}
	}
	return best
}

// edits returns the Levenshtein distance of two words.
func edits(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
