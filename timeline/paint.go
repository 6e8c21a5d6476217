package timeline

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"time"

	"golang.org/x/image/vector"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// paint draws the scene.
func (s *scene) paint() *image.RGBA {
	dst := image.NewRGBA(image.Rect(0, 0, s.width, s.height))
	fill(dst, dst.Bounds(), paper)
	drawText(dst, faceTitle, ink, margin, margin+42, shorten(faceTitle, s.Title, s.width-2*margin))
	drawText(dst, faceSub, faint, margin, margin+88, s.subtitle())
	s.paintAxis(dst)
	y := s.top
	for i, r := range s.Rows {
		s.paintRow(dst, r, s.lanes[i], y)
		y += rowHeight(s.lanes[i])
		fill(dst, image.Rect(margin, y-1, s.right, y+1), line)
	}
	if s.hidden > 0 {
		drawText(dst, faceSmall, faint, s.left, s.rowsEnd()+44, more(s.hidden, "row", "rows"))
	}
	s.paintNow(dst)
	for _, it := range s.legend() {
		s.paintItem(dst, it)
	}
	return dst
}

// subtitle gives the period and the time zone.
func (s *scene) subtitle() string {
	from, to := s.From.In(s.zone), s.To.In(s.zone)
	layout := "Mon 2 January 2006"
	if _, clock := s.wall.Local(s.From); clock != 0 || s.To.Sub(s.From) <= 48*time.Hour {
		layout = "Mon 2 January 2006 15:04"
	}
	if last := s.To.Add(-1).In(s.zone); layout == "Mon 2 January 2006" {
		to = last // a period up to midnight ends on the day before
	}
	return fmt.Sprintf("%s – %s  ·  times in %s", from.Format(layout), to.Format(layout), s.TimeZone)
}

// paintRow draws a row's name and its bars.
func (s *scene) paintRow(dst *image.RGBA, r Row, lanes, y int) {
	middle := y + rowHeight(lanes)/2
	width := s.left - labelGap - margin
	if r.Detail == "" {
		drawText(dst, faceLabel, ink, margin, middle+10, shorten(faceLabel, r.Name, width))
	} else {
		drawText(dst, faceLabel, ink, margin, middle-5, shorten(faceLabel, r.Name, width))
		drawText(dst, faceSmall, faint, margin, middle+28, shorten(faceSmall, r.Detail, width))
	}
	top := y + rowPad
	for _, shift := range r.Shifts {
		left, right := s.edges(shift.Start, shift.End)
		if len(shift.Users) == 0 {
			if !r.Free {
				s.paintGap(dst, left, right, top, barsHeight(lanes))
			}
			continue
		}
		s.paintBars(dst, shift, left, right, top, lanes)
	}
}

// edges returns the ends of a bar. Neighbours are slightly apart, and even the shortest bar is
// visible.
func (s *scene) edges(start, end time.Time) (left, right float64) {
	left, right = s.x(start), s.x(end)
	if right-left > 6 {
		return left + 1, right - 1
	}
	return left, max(right, left+1)
}

// paintBars draws one shift: a bar for each person, one above the other.
func (s *scene) paintBars(dst *image.RGBA, shift schedule.Shift, left, right float64, top, lanes int) {
	users := shift.Users
	n := min(len(users), maxLanes)
	height := float64(barsHeight(lanes)-(n-1)*laneGap) / float64(n)
	from, to := s.clearOf(left, right)
	room := int(to-from) - 14
	for i, u := range users[:n] {
		y := float64(top) + float64(i)*(height+laneGap)
		c := s.colours[u]
		label := s.label(u, room)
		if i == n-1 && len(users) > n {
			c, label = colour{line, ink}, fmt.Sprintf("+%d", len(users)-n+1)
			if textWidth(faceBar, label) > room {
				label = ""
			}
		}
		round(dst, left, y, right, y+height, 9, c.fill)
		if changed(shift) {
			mark(dst, left, y, right, y+height)
		}
		if label != "" {
			drawText(dst, faceBar, c.ink, int(from+to)/2-textWidth(faceBar, label)/2, int(y+height/2)+9, label)
		}
	}
}

// clearOf returns the part of a bar with room for text: all of it, or the larger part beside the
// "now" line.
func (s *scene) clearOf(left, right float64) (float64, float64) {
	now := s.x(s.Now)
	if !s.showsNow() || now <= left || now >= right {
		return left, right
	}
	if now-left > right-now {
		return left, now
	}
	return now, right
}

// showsNow reports whether the current time is within the picture.
func (s *scene) showsNow() bool { return !s.Now.Before(s.From) && s.Now.Before(s.To) }

// mark shows a change made by hand: a dark frame and corner.
func mark(dst *image.RGBA, left, top, right, bottom float64) {
	if right-left < 20 { // a frame would hide the colour
		fillBetween(dst, left, top, right, top+8, ink)
		fillBetween(dst, left, bottom-8, right, bottom, ink)
		return
	}
	frame(dst, left, top, right, bottom, 9, 4, ink)
	size := min(22, right-left)
	triangle(dst, [3][2]float64{{right - size, top}, {right, top}, {right, top + size}}, ink)
}

func (s *scene) paintGap(dst *image.RGBA, left, right float64, top, height int) {
	y := float64(top)
	hatch(dst, left, y, right, y+float64(height))
	const label = "nobody"
	width := textWidth(faceBar, label)
	from, to := s.clearOf(left, right)
	if int(to-from) < width+36 {
		return
	}
	x := int(from+to)/2 - width/2
	middle := top + height/2
	round(dst, float64(x-12), float64(middle-20), float64(x+width+12), float64(middle+20), 8, gapFill)
	drawText(dst, faceBar, gapInk, x, middle+9, label)
}

// paintNow marks the current time.
func (s *scene) paintNow(dst *image.RGBA) {
	if !s.showsNow() {
		return
	}
	x := s.x(s.Now)
	fillBetween(dst, x-5, float64(s.top), x+5, float64(s.bottom), paper)
	fillBetween(dst, x-2, float64(s.top-7), x+2, float64(s.bottom+8), ink)
	width := float64(textWidth(faceAxisBold, "now") + 24)
	left := min(max(x-width/2, float64(s.left)), float64(s.right)-width)
	top := float64(s.bottom + 8)
	round(dst, left, top, left+width, top+36, 10, ink)
	drawText(dst, faceAxisBold, paper, int(left)+12, s.bottom+34, "now")
}

func (s *scene) paintItem(dst *image.RGBA, it item) {
	x, y := float64(it.x), float64(it.y+10)
	text := it.x + swatch + 12
	switch it.kind {
	case itemPerson:
		round(dst, x, y, x+swatch, y+swatch, 7, it.fill.fill)
	case itemChanged:
		round(dst, x, y, x+swatch, y+swatch, 7, weekend)
		mark(dst, x, y, x+swatch, y+swatch)
	case itemGap:
		hatch(dst, x, y, x+swatch, y+swatch)
	case itemMore:
		text = it.x
	}
	drawText(dst, faceSmall, ink, text, it.y+34, it.label)
}

func fill(dst *image.RGBA, r image.Rectangle, c color.RGBA) {
	draw.Draw(dst, r, image.NewUniform(c), image.Point{}, draw.Src)
}

// A path is a shape to fill with smooth edges.
type path struct {
	r    *vector.Rasterizer
	x, y float64 // upper left corner in the picture
	box  image.Rectangle
}

func newPath(left, top, right, bottom float64) path {
	box := image.Rect(int(math.Floor(left)), int(math.Floor(top)), int(math.Ceil(right)), int(math.Ceil(bottom)))
	return path{r: vector.NewRasterizer(box.Dx(), box.Dy()), x: float64(box.Min.X), y: float64(box.Min.Y), box: box}
}

func (p path) move(x, y float64) { p.r.MoveTo(float32(x-p.x), float32(y-p.y)) }
func (p path) line(x, y float64) { p.r.LineTo(float32(x-p.x), float32(y-p.y)) }
func (p path) curve(cx, cy, x, y float64) {
	p.r.QuadTo(float32(cx-p.x), float32(cy-p.y), float32(x-p.x), float32(y-p.y))
}

func (p path) fill(dst *image.RGBA, c color.RGBA) {
	p.r.ClosePath()
	p.r.Draw(dst, p.box, image.NewUniform(c), image.Point{})
}

// corners adds a rectangle with rounded corners, clockwise or, to cut a hole, counterclockwise.
func (p path) corners(l, t, r, b, radius float64, hole bool) {
	q := min(radius, (r-l)/2, (b-t)/2)
	p.move(l+q, t)
	if hole {
		p.curve(l, t, l, t+q)
		p.line(l, b-q)
		p.curve(l, b, l+q, b)
		p.line(r-q, b)
		p.curve(r, b, r, b-q)
		p.line(r, t+q)
		p.curve(r, t, r-q, t)
	} else {
		p.line(r-q, t)
		p.curve(r, t, r, t+q)
		p.line(r, b-q)
		p.curve(r, b, r-q, b)
		p.line(l+q, b)
		p.curve(l, b, l, b-q)
		p.line(l, t+q)
		p.curve(l, t, l+q, t)
	}
	p.r.ClosePath()
}

// round fills a rectangle with rounded corners.
func round(dst *image.RGBA, l, t, r, b, radius float64, c color.RGBA) {
	p := newPath(l, t, r, b)
	p.corners(l, t, r, b, radius, false)
	p.fill(dst, c)
}

// frame draws only the edge of such a rectangle.
func frame(dst *image.RGBA, l, t, r, b, radius, width float64, c color.RGBA) {
	p := newPath(l, t, r, b)
	p.corners(l, t, r, b, radius, false)
	if r-l > 2*width && b-t > 2*width {
		p.corners(l+width, t+width, r-width, b-width, max(radius-width, 0), true)
	}
	p.fill(dst, c)
}

func triangle(dst *image.RGBA, corners [3][2]float64, c color.RGBA) {
	p := newPath(corners[0][0], corners[0][1], corners[2][0], corners[2][1])
	p.move(corners[0][0], corners[0][1])
	p.line(corners[1][0], corners[1][1])
	p.line(corners[2][0], corners[2][1])
	p.fill(dst, c)
}

func fillBetween(dst *image.RGBA, l, t, r, b float64, c color.RGBA) {
	p := newPath(l, t, r, b)
	p.corners(l, t, r, b, 0, false)
	p.fill(dst, c)
}

// hatch fills a rectangle with red slanted lines.
func hatch(dst *image.RGBA, l, t, r, b float64) {
	const period, width = 20, 7
	round(dst, l, t, r, b, 9, gapFill)
	height := b - t
	for x := l - height; x < r; x += period {
		p := newPath(l, t, r, b)
		clipStripe(p, x, width, l, t, r, b)
		p.fill(dst, gapInk)
	}
	frame(dst, l, t, r, b, 9, 3, gapInk)
}

// clipStripe adds the part of a stripe that lies within the rectangle. The stripe runs from
// (x, b) up to (x+height, t) and is width wide.
func clipStripe(p path, x, width, l, t, r, b float64) {
	height := b - t
	corners := [][2]float64{{x, b}, {x + height, t}, {x + height + width, t}, {x + width, b}}
	corners = cutOff(corners, func(q [2]float64) float64 { return q[0] - l })
	corners = cutOff(corners, func(q [2]float64) float64 { return r - q[0] })
	for i, q := range corners {
		if i == 0 {
			p.move(q[0], q[1])
		} else {
			p.line(q[0], q[1])
		}
	}
}

// cutOff keeps the part of a polygon in which inside is not negative.
func cutOff(corners [][2]float64, inside func([2]float64) float64) [][2]float64 {
	var out [][2]float64
	for i, q := range corners {
		next := corners[(i+1)%len(corners)]
		a, b := inside(q), inside(next)
		if a >= 0 {
			out = append(out, q)
		}
		if a >= 0 != (b >= 0) {
			part := a / (a - b)
			out = append(out, [2]float64{q[0] + part*(next[0]-q[0]), q[1] + part*(next[1]-q[1])})
		}
	}
	return out
}
