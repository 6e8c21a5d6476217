package timeline

import (
	"fmt"
	"image"
	"image/color"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// A face is one of the font sizes and weights in use.
type face int

const (
	faceTitle face = iota
	faceSub
	faceLabel
	faceSmall
	faceBar
	faceAxis
	faceAxisBold
)

// fonts are parsed once. A font.Face reuses buffers, hence the lock.
var fonts struct {
	sync.Mutex
	faces map[face]font.Face
	known map[rune]bool
}

// loadFonts must be called with the lock held.
func loadFonts() {
	if fonts.faces != nil {
		return
	}
	fonts.faces, fonts.known = map[face]font.Face{}, map[rune]bool{}
	for f, spec := range map[face]struct {
		ttf  []byte
		size float64
	}{
		faceTitle: {gobold.TTF, 42}, faceSub: {goregular.TTF, 27}, faceLabel: {gobold.TTF, 29},
		faceSmall: {goregular.TTF, 26}, faceBar: {gomedium.TTF, 27}, faceAxis: {goregular.TTF, 25},
		faceAxisBold: {gobold.TTF, 25},
	} {
		parsed, err := opentype.Parse(spec.ttf)
		if err != nil {
			panic(fmt.Sprintf("timeline: a font of the program itself: %v", err))
		}
		made, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: spec.size, DPI: 72, Hinting: font.HintingNone})
		if err != nil {
			panic(fmt.Sprintf("timeline: a font of the program itself: %v", err))
		}
		fonts.faces[f] = made
	}
}

// legible drops characters for which the fonts have no glyph. If nothing is left of a text, it
// becomes a question mark.
func legible(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsSpace(r) {
			r = ' '
		}
		if known, asked := fonts.known[r]; asked && known {
			b.WriteRune(r)
			continue
		} else if asked {
			continue
		}
		_, _, ok := fonts.faces[faceSmall].GlyphBounds(r)
		fonts.known[r] = ok && unicode.IsPrint(r)
		if fonts.known[r] {
			b.WriteRune(r)
		}
	}
	out := strings.Join(strings.Fields(b.String()), " ")
	if out == "" && s != "" {
		return "?"
	}
	return out
}

// textWidth returns the width of a text.
func textWidth(f face, s string) int {
	fonts.Lock()
	defer fonts.Unlock()
	loadFonts()
	return font.MeasureString(fonts.faces[f], legible(s)).Ceil()
}

// drawText draws a text whose baseline begins at x and y.
func drawText(dst *image.RGBA, f face, c color.RGBA, x, y int, s string) {
	fonts.Lock()
	defer fonts.Unlock()
	loadFonts()
	d := font.Drawer{Dst: dst, Src: image.NewUniform(c), Face: fonts.faces[f], Dot: fixed.P(x, y)}
	d.DrawString(legible(s))
}

// shorten cuts a text to a width, with an ellipsis.
func shorten(f face, s string, width int) string {
	if textWidth(f, s) <= width {
		return s
	}
	runes := []rune(s)
	runes = runes[:min(len(runes), 200)]
	for len(runes) > 0 && textWidth(f, string(runes)+"…") > width {
		runes = runes[:len(runes)-1]
	}
	return strings.TrimSpace(string(runes)) + "…"
}

// forms returns the ways to write a name, longest first: "Ann Smith", "Ann S.", "Ann", "AS", "A".
func forms(name string) []string {
	words := strings.Fields(name)
	if len(words) == 0 {
		return nil
	}
	initial := func(word string) string { return string(unicode.ToUpper([]rune(word)[0])) }
	first, last := words[0], words[len(words)-1]
	if len(words) == 1 {
		return []string{first, initial(first)}
	}
	return []string{strings.Join(words, " "), first + " " + initial(last) + ".", first, initial(first) + initial(last), initial(first)}
}

func more(n int, one, many string) string {
	if n == 1 {
		return "and 1 more " + one
	}
	return fmt.Sprintf("and %d more %s", n, many)
}
