package timeline

import (
	"hash/fnv"
	"image/color"

	"github.com/watchbill/watchbill/oncall"
)

// A colour is what a person's bars are filled with, and the ink of the words on them.
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

// palette is Paul Tol's "light" scheme, told apart by the colour-blind and read under
// dark words, and then dark ones of his "muted" scheme. Nothing in it is the red of a
// hole.
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

// first is how many colours of the palette people get while there are enough.
const first = 8

// assign gives each person a colour that depends on the id, so that it is the same in
// every picture, and another one only where two people of this picture would share it.
func assign(people []oncall.UserID) map[oncall.UserID]colour {
	out := make(map[oncall.UserID]colour, len(people))
	taken := map[int]bool{}
	for _, u := range people {
		h := fnv.New32a()
		_, _ = h.Write([]byte(u)) // never fails
		i := int(h.Sum32() % first)
		if len(taken) == len(palette) { // more people than colours: words tell them apart
			clear(taken)
		}
		for taken[i] {
			i = (i + 1) % len(palette)
		}
		taken[i] = true
		out[u] = palette[i]
	}
	return out
}
