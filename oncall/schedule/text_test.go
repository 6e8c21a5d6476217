package schedule

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWindowsInWords(t *testing.T) {
	t.Parallel()
	workdays := []Weekday{Monday, Tuesday, Wednesday, Thursday, Friday}
	for _, c := range []struct {
		words string
		want  []Window
		again string // as it is written back; "" is unchanged
	}{
		{words: ""},
		{words: "mon-fri 09:00-17:00", want: []Window{{Days: workdays, From: 540, To: 1020}}},
		{words: "weekdays 09:00 to 17:00", want: []Window{{Days: workdays, From: 540, To: 1020}}, again: "mon-fri 09:00-17:00"},
		{words: "daily 22:00-06:00", want: []Window{{Days: weekdays[:], From: 1320, To: 360}}},
		{words: "sat sun 00:00–24:00", want: []Window{{Days: weekdays[5:], From: 0, To: 0}}, again: "sat sun 00:00-00:00"},
		{words: "wed Monday 10:00 - 11:00", want: []Window{{Days: []Weekday{Monday, Wednesday}, From: 600, To: 660}}, again: "mon wed 10:00-11:00"},
		{words: "sat-mon 10:00-11:00", want: []Window{{Days: []Weekday{Monday, Saturday, Sunday}, From: 600, To: 660}}, again: "mon sat sun 10:00-11:00"},
		{words: "Fri 18:00 - Mon 08:00", want: []Window{{FromDay: Friday, From: 1080, ToDay: Monday, To: 480}}, again: "fri 18:00 - mon 08:00"},
		{words: "mon-fri 9-17", want: []Window{{Days: workdays, From: 540, To: 1020}}, again: "mon-fri 09:00-17:00"},
		{words: "Mon to Fri, 9am to 5pm", want: []Window{{Days: workdays, From: 540, To: 1020}}, again: "mon-fri 09:00-17:00"},
		{words: "Mo-Fr 9-17 Uhr", want: []Window{{Days: workdays, From: 540, To: 1020}}, again: "mon-fri 09:00-17:00"},
		{words: "mondays and wednesdays from 6pm-10pm", want: []Window{{Days: []Weekday{Monday, Wednesday}, From: 1080, To: 1320}}, again: "mon wed 18:00-22:00"},
		{words: "every tue 18-20", want: []Window{{Days: []Weekday{Tuesday}, From: 1080, To: 1200}}, again: "tue 18:00-20:00"},
		{words: "weekdays noon-midnight", want: []Window{{Days: workdays, From: 720, To: 0}}, again: "mon-fri 12:00-00:00"},
		{words: "fri 6pm to mon 8am", want: []Window{{FromDay: Friday, From: 1080, ToDay: Monday, To: 480}}, again: "fri 18:00 - mon 08:00"},
		{words: "fri 18:00-mon 08:00", want: []Window{{FromDay: Friday, From: 1080, ToDay: Monday, To: 480}}, again: "fri 18:00 - mon 08:00"},
		{
			words: "mon 09:00-12:00; mon 13:00-17:00,\ntue 09:00-17:00",
			want:  []Window{{Days: []Weekday{Monday}, From: 540, To: 720}, {Days: []Weekday{Monday}, From: 780, To: 1020}, {Days: []Weekday{Tuesday}, From: 540, To: 1020}},
			again: "mon 09:00-12:00\nmon 13:00-17:00\ntue 09:00-17:00",
		},
	} {
		got, err := ParseWindows(c.words)
		if err != nil {
			t.Errorf("%q: %v", c.words, err)
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.words, diff)
		}
		if c.again == "" {
			c.again = c.words
		}
		if again := WindowsText(got); again != c.again {
			t.Errorf("%q is written back as %q, want %q", c.words, again, c.again)
		}
	}
	for _, wrong := range []string{"mon", "09:00-17:00", "mon-fry 09:00-17:00", "mon 9-5", "mon 2-4", "mon 09:00", "mon 25:00-26:00", "fri 18:00 mon 08:00"} {
		if got, err := ParseWindows(wrong); err == nil {
			t.Errorf("%q is read as %+v, want an error", wrong, got)
		}
	}
}

func TestPeriodsInWords(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]Period{
		"week":             {Every: 1, Unit: WeekUnit},
		"2 weeks":          {Every: 2, Unit: WeekUnit},
		"12 hours":         {Every: 12, Unit: HourUnit},
		"month":            {Every: 1, Unit: MonthUnit},
		"cron 0 9 * * 1,4": {Cron: "0 9 * * 1,4"},
	} {
		got, err := ParsePeriod(words)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v, want %+v", words, got, err, want)
		}
		if got.String() != words {
			t.Errorf("written back as %q, want %q", got, words)
		}
	}
	for _, wrong := range []string{"", "0 weeks", "week 2", "cron", "cron 0 9", "cron @daily"} {
		if got, err := ParsePeriod(wrong); err == nil {
			t.Errorf("%q is read as %+v, want an error", wrong, got)
		}
	}
}

func FuzzParseWindows(f *testing.F) {
	f.Add("mon-fri 09:00-17:00")
	f.Add("fri 18:00 - mon 08:00\nweekends 00:00-24:00")
	f.Fuzz(func(t *testing.T, words string) {
		windows, err := ParseWindows(words)
		if err != nil {
			return
		}
		if _, err := compileWindows(windows); err != nil {
			t.Errorf("%q was read, but can't be used: %v", words, err)
		}
		again, err := ParseWindows(WindowsText(windows))
		if err != nil || !cmp.Equal(windows, again) {
			t.Errorf("%q is written back as %q: %v, want windows %v", words, WindowsText(windows), err, again)
		}
	})
}
