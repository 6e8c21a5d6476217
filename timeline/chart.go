package timeline

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"strings"
)

// A Chart is stacked columns of counts.
type Chart struct {
	Title    string
	Subtitle string
	Parts    []string // names of the parts, lowest first; at most three
	Columns  []Column
}

// A Column is one of a chart.
type Column struct {
	Label  string
	Counts []int // of each part
}

const (
	maxParts   = 3
	maxColumns = 120
	plotHeight = 420
	plotLabels = 56
	chartLeft  = 100
)

// partColours are distinguishable to the colour-blind, and suggest day, evening and night.
var partColours = [maxParts]color.RGBA{rgb(0x77aadd), rgb(0xeedd88), rgb(0x332288)}

// DrawChart writes a chart as a PNG, in the size of the other pictures.
func DrawChart(w io.Writer, c Chart) error {
	if err := c.check(); err != nil {
		return fmt.Errorf("draw chart: %w", err)
	}
	out := bufio.NewWriter(w)
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(out, c.paint()); err != nil {
		return fmt.Errorf("draw chart: %w", err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("draw chart: %w", err)
	}
	return nil
}

func (c Chart) check() error {
	if len(c.Columns) == 0 || len(c.Columns) > maxColumns || len(c.Parts) == 0 || len(c.Parts) > maxParts {
		return errors.New("it has no columns, or too many")
	}
	for _, col := range c.Columns {
		if len(col.Counts) != len(c.Parts) {
			return errors.New("a column has other parts")
		}
		for _, n := range col.Counts {
			if n < 0 {
				return errors.New("a count is negative")
			}
		}
	}
	return nil
}

func (c Column) sum() (n int) {
	for _, part := range c.Counts {
		n += part
	}
	return n
}

// scale returns the highest line of the axis and the distance between two.
func (c Chart) scale() (top, step int) {
	most := 1
	for _, col := range c.Columns {
		most = max(most, col.sum())
	}
	for step = 1; most > 5*step; {
		switch lead := fmt.Sprint(step)[0]; lead { // 1, 2, 5, 10, 20, 50 …
		case '2':
			step = step / 2 * 5
		default:
			step *= 2
		}
	}
	return (most + step - 1) / step * step, step
}

func (c Chart) paint() *image.RGBA {
	top := margin + headHeight
	bottom := top + plotHeight
	dst := image.NewRGBA(image.Rect(0, 0, pageWidth, bottom+plotLabels+legendRow+margin))
	fill(dst, dst.Bounds(), paper)
	drawText(dst, faceTitle, ink, margin, margin+42, shorten(faceTitle, c.Title, pageWidth-2*margin))
	drawText(dst, faceSub, faint, margin, margin+88, shorten(faceSub, c.Subtitle, pageWidth-2*margin))
	left, right := chartLeft+margin, pageWidth-margin
	most, step := c.scale()
	y := func(n int) float64 { return float64(bottom) - float64(n)/float64(most)*plotHeight }
	for n := 0; n <= most; n += step {
		at := int(y(n))
		fill(dst, image.Rect(left, at-1, right, at+1), line)
		label := fmt.Sprint(n)
		drawText(dst, faceAxis, faint, left-16-textWidth(faceAxis, label), at+9, label)
	}
	width := float64(right-left) / float64(len(c.Columns))
	gap := min(width/5, 12)
	end := 0 // of the last label
	for i, col := range c.Columns {
		l := float64(left) + float64(i)*width + gap/2
		below := 0
		for part, n := range col.Counts {
			if n > 0 {
				fillBetween(dst, l, y(below+n), l+width-gap, y(below), partColours[part])
			}
			below += n
		}
		if x := int(l); col.Label != "" && x >= end && x+textWidth(faceAxis, col.Label) <= right {
			drawText(dst, faceAxis, faint, x, bottom+36, col.Label)
			end = x + textWidth(faceAxis, col.Label) + 14
		}
	}
	x := left
	for part, name := range c.Parts {
		at := float64(bottom + plotLabels + 10)
		round(dst, float64(x), at, float64(x+swatch), at+swatch, 7, partColours[part])
		drawText(dst, faceSmall, ink, x+swatch+12, int(at)+24, name)
		x += swatch + 12 + textWidth(faceSmall, name) + 34
	}
	return dst
}

// ChartAlt describes a chart in at most 2,000 characters, skipping empty columns.
func ChartAlt(c Chart) string {
	text := cut(strings.TrimSpace(c.Title), 150) + ". " + cut(c.Subtitle, 150) + "."
	const reserve = 30
	full := 0
	for i, col := range c.Columns {
		if col.sum() == 0 {
			continue
		}
		full++
		var parts []string
		for part, n := range col.Counts {
			if n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", n, c.Parts[part]))
			}
		}
		words := fmt.Sprintf(" %s: %s.", cut(col.Label, 40), strings.Join(parts, ", "))
		if len([]rune(text+words)) > maxAlt-reserve {
			return text + " " + more(len(c.Columns)-i, "column", "columns") + "."
		}
		text += words
	}
	if full == 0 {
		text += " Nothing."
	}
	return text
}
