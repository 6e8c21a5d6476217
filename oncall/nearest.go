package oncall

import "strings"

// longestTyped is how long what somebody typed can be, in bytes, to be taken for a name at all.
const longestTyped = 200

// Nearest returns the name that was probably meant, "" if none comes close.
func Nearest(typed string, names []string) string {
	if len(typed) > longestTyped {
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

// edits counts the letters to insert, drop or replace to turn one word into another.
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
