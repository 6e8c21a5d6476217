package web

import (
	"fmt"
	"strconv"
	"time"

	"github.com/watchbill/watchbill/oncall/report"
)

// A chart is stacked columns of counts.
type chart struct {
	Height  int
	Lines   []chartLine
	Columns []column
	Labels  []tick
	Any     bool
	Weekly  bool
	Summary string
}

type chartLine struct {
	Y     int
	Label string
}

type column struct {
	axisSpan
	Title string
	Parts []chartPart
}

type chartPart struct {
	Y, Height int
	Class     string
}

const (
	plotHeight = 160
	maxDaily   = 62
)

// interruptionChart charts how often people were interrupted, by day or week.
func interruptionChart(r report.Report) chart {
	c := chart{Height: plotHeight}
	group := 1
	if len(r.Days) > maxDaily {
		group, c.Weekly = 7, true
	}
	type sum struct {
		day   time.Time
		bands report.Bands
		n     int
	}
	var sums []sum
	for i, d := range r.Days {
		if i%group == 0 {
			sums = append(sums, sum{day: time.Date(d.Date.Year, d.Date.Month, d.Date.Day, 0, 0, 0, 0, time.UTC)})
		}
		last := &sums[len(sums)-1]
		last.bands.Working += d.Interruptions.Working
		last.bands.Off += d.Interruptions.Off
		last.bands.Sleep += d.Interruptions.Sleep
		last.n += d.Incidents
	}
	most, total := 1, 0
	for _, s := range sums {
		most = max(most, s.bands.All())
		total += s.bands.All()
	}
	c.Any = total > 0
	top, step := scale(most)
	for n := 0; n <= top; n += step {
		c.Lines = append(c.Lines, chartLine{plotHeight - plotHeight*n/top, strconv.Itoa(n)})
	}
	every := max(1, (len(sums)+7)/8)
	for i, s := range sums {
		x := axisSpan{percent(float64(i)+0.12, float64(len(sums))), percent(0.76, float64(len(sums)))}
		one := column{axisSpan: x, Title: fmt.Sprintf("%s: %s, %d working, %d off, %d asleep",
			s.day.Format("Mon 2 Jan"), count(s.n, "incident"), s.bands.Working, s.bands.Off, s.bands.Sleep)}
		below := 0
		for _, part := range []struct {
			n     int
			class string
		}{{s.bands.Working, "working"}, {s.bands.Off, "off"}, {s.bands.Sleep, "sleep"}} {
			if part.n > 0 {
				bottom, height := plotHeight-plotHeight*below/top, plotHeight*(below+part.n)/top-plotHeight*below/top
				one.Parts = append(one.Parts, chartPart{bottom - height, height, part.class})
			}
			below += part.n
		}
		c.Columns = append(c.Columns, one)
		if i%every == 0 {
			c.Labels = append(c.Labels, tick{At: percent(float64(i)+0.5, float64(len(sums))), Label: s.day.Format("2 Jan")})
		}
	}
	c.Summary = fmt.Sprintf("%s: %d in working hours, %d off, %d while asleep", count(total, "interruption"),
		r.Interruptions.Working, r.Interruptions.Off, r.Interruptions.Sleep)
	return c
}

// scale returns the top of an axis and the distance between its lines.
func scale(most int) (top, step int) {
	for step = 1; most > 4*step; {
		if lead := fmt.Sprint(step)[0]; lead == '2' { // 1, 2, 5, 10, 20, 50 …
			step = step / 2 * 5
		} else {
			step *= 2
		}
	}
	return (most + step - 1) / step * step, step
}
