package timeline_test

import (
	"bytes"
	"fmt"
	"image/png"
	"io"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/watchbill/watchbill/timeline"
)

func chart(columns int) timeline.Chart {
	c := timeline.Chart{Title: "payments: interruptions", Subtitle: "November 2026", Parts: []string{"working hours", "off", "asleep"}}
	for i := range columns {
		c.Columns = append(c.Columns, timeline.Column{Label: fmt.Sprint(i + 1), Counts: []int{i % 4, i % 3, i % 5 / 3}})
	}
	return c
}

// The picture is as wide as the others and the same each time; the height of columns follows the counts.
func TestDrawChartIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 7, 30, 120} {
		var one, two bytes.Buffer
		for _, to := range []*bytes.Buffer{&one, &two} {
			if err := timeline.DrawChart(to, chart(n)); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(one.Bytes(), two.Bytes()) {
			t.Errorf("%d columns: two pictures of the same differ", n)
		}
		picture, err := png.Decode(&one)
		if err != nil || picture.Bounds().Dx() != 1600 {
			t.Errorf("%d columns: %v wide, %v, want no error and 1600", n, picture.Bounds(), err)
		}
		if dir := os.Getenv("LOOK"); dir != "" {
			if err := os.WriteFile(fmt.Sprintf("%s/chart-%d.png", dir, n), two.Bytes(), 0o600); err != nil {
				t.Error(err)
			}
		}
	}
	low, high := coloured(t, 1), coloured(t, 2)
	if low == 0 || high != low { // a single column fills the axis, whatever it counts
		t.Errorf("a column of 1 has %d coloured points, one of 2 has %d, want as many, above 0", low, high)
	}
}

// coloured counts the points of a working-hours column that is all there is, beside the swatch.
func coloured(t *testing.T, n int) (points int) {
	t.Helper()
	var out bytes.Buffer
	c := timeline.Chart{Title: "x", Parts: []string{"working hours"}, Columns: []timeline.Column{{Label: "a", Counts: []int{n}}}}
	if err := timeline.DrawChart(&out, c); err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(&out)
	if err != nil {
		t.Fatal(err)
	}
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			if r, g, b, _ := picture.At(x, y).RGBA(); r>>8 == 0x77 && g>>8 == 0xaa && b>>8 == 0xdd {
				points++
			}
		}
	}
	return points
}

func TestDrawChartRefusesInvalidCharts(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*timeline.Chart){
		"no columns":    func(c *timeline.Chart) { c.Columns = nil },
		"too many":      func(c *timeline.Chart) { *c = chart(121) },
		"another part":  func(c *timeline.Chart) { c.Columns[1].Counts = []int{1} },
		"less than one": func(c *timeline.Chart) { c.Columns[1].Counts = []int{1, -1, 1} },
	} {
		c := chart(7)
		change(&c)
		if timeline.DrawChart(io.Discard, c) == nil {
			t.Errorf("%s: it was drawn, want an error", name)
		}
	}
}

func TestChartAltTellsTheNumbers(t *testing.T) {
	t.Parallel()
	got := timeline.ChartAlt(chart(3))
	if want := "payments: interruptions. November 2026. 2: 1 working hours, 1 off. 3: 2 working hours, 2 off."; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	long := timeline.ChartAlt(chart(120))
	if utf8.RuneCountInString(long) > 2000 || !strings.Contains(long, "more columns.") {
		t.Errorf("%d characters, want at most 2000 that count what is left out: %s", utf8.RuneCountInString(long), long)
	}
}
