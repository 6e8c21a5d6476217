package timeline

import (
	"hash/fnv"
	"image/color"

	"github.com/watchbill/watchbill/oncall"
)

// A colour is the fill of a person's bars and the ink of the text on them.
type colour struct{ fill, ink color.RGBA }

func rgb(hex uint32) color.RGBA {
	return color.RGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: 0xff}
}

var (
	paper   = rgb(0xffffff)
	ink     = rgb(0x1d1c1d)
	faint   = rgb(0x5f6368)
	line    = rgb(0xd5d8dd)
	strong  = rgb(0xa3a8b0)
	weekend = rgb(0xf3f4f6)
	gapFill = rgb(0xfdeceb)
	gapInk  = rgb(0xb3261e)
)

// palette is Paul Tol's "light" scheme, which the colour-blind can tell apart and on which dark
// text is readable, followed by dark colours of his "muted" scheme. None of them looks like the red
// of a gap.
var palette = []colour{
	{rgb(0x77aadd), ink},
	{rgb(0xeedd88), ink},
	{rgb(0x44bb99), ink},
	{rgb(0xee8866), ink},
	{rgb(0x99ddff), ink},
	{rgb(0xbbcc33), ink},
	{rgb(0xffaabb), ink},
	{rgb(0xaaaa00), ink},
	{rgb(0x332288), paper},
	{rgb(0x117733), paper},
	{rgb(0x882255), paper},
	{rgb(0x5b6770), paper},
}

// first is how many colours of the palette are used while that is enough.
const first = 8

// assign gives each person a colour derived from their id, so that it is the same in every picture
// unless two people in one picture would share it.
func assign(people []oncall.UserID) map[oncall.UserID]colour {
	out := make(map[oncall.UserID]colour, len(people))
	used := map[int]bool{}
	for _, u := range people {
		h := fnv.New32a()
		_, _ = h.Write([]byte(u)) // never fails
		i := int(h.Sum32() % first)
		if len(used) == len(palette) { // more people than colours: only names tell them apart
			clear(used)
		}
		for used[i] {
			i = (i + 1) % len(palette)
		}
		used[i] = true
		out[u] = palette[i]
	}
	return out
}
