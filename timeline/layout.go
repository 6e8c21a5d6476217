package timeline

import "github.com/watchbill/watchbill/oncall"

// Lengths in pixels.
const (
	pageWidth  = 1600
	margin     = 44
	labelGap   = 28
	maxLabel   = 330
	headHeight = 128 // title and subtitle
	axisHeight = 84
	barHeight  = 60 // of a single person
	laneHeight = 42 // of each of several people
	laneGap    = 4
	rowPad     = 15
	legendRow  = 50
	swatch     = 30
)

// rowHeight grows with the number of people on call at once.
func rowHeight(lanes int) int { return 2*rowPad + barsHeight(lanes) }

func barsHeight(lanes int) int {
	if lanes == 1 {
		return barHeight
	}
	return lanes*laneHeight + (lanes-1)*laneGap
}

// layOut computes the size of everything.
func (s *scene) layOut() {
	label := 0
	for _, r := range s.Rows {
		label = max(label, min(maxLabel, max(textWidth(faceLabel, r.Name), textWidth(faceSmall, r.Detail))))
	}
	s.width = pageWidth
	s.left, s.right = margin+label, s.width-margin
	if label > 0 {
		s.left += labelGap
	}
	s.top = margin + headHeight + axisHeight
	s.bottom = s.top
	for _, lanes := range s.lanes {
		s.bottom += rowHeight(lanes)
	}
	s.height = s.legendTop()
	for _, item := range s.legend() {
		s.height = max(s.height, item.y+legendRow)
	}
	s.height += margin - 14
}

// rowsEnd is below the rows and the "now" label.
func (s *scene) rowsEnd() int {
	if s.showsNow() {
		return s.bottom + 36
	}
	return s.bottom
}

func (s *scene) legendTop() int {
	if s.hidden > 0 {
		return s.rowsEnd() + 28 + 44
	}
	return s.rowsEnd() + 28
}

// An item of the legend.
type item struct {
	x, y  int
	kind  itemKind
	fill  colour
	label string
}

type itemKind int

const (
	itemPerson itemKind = iota
	itemChanged
	itemGap
	itemMore
)

// legend places the explanations of colours and marks.
func (s *scene) legend() []item {
	var items []item
	for i, u := range s.people {
		if i == maxPeople {
			items = append(items, item{kind: itemMore, label: more(len(s.people)-maxPeople, "person", "people")})
			break
		}
		items = append(items, item{kind: itemPerson, fill: s.colours[u], label: s.name(u)})
	}
	if s.override {
		items = append(items, item{kind: itemChanged, label: "changed by hand"})
	}
	if s.gaps {
		items = append(items, item{kind: itemGap, label: "nobody"})
	}
	x, y := s.left, s.legendTop()
	for i := range items {
		items[i].label = shorten(faceSmall, items[i].label, 420)
		width := swatch + 12 + textWidth(faceSmall, items[i].label) + 34
		if x+width-34 > s.right && x > s.left {
			x, y = s.left, y+legendRow
		}
		items[i].x, items[i].y = x, y
		x += width
	}
	return items
}

// label returns the longest form of a person's name that fits the width.
func (s *scene) label(u oncall.UserID, width int) string {
	for _, form := range forms(s.name(u)) {
		if textWidth(faceBar, form) <= width {
			return form
		}
	}
	return ""
}
