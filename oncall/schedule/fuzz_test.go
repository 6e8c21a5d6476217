package schedule

import "testing"

// A period that was read can be written and read again; its table finds the matches that it
// counted.
func FuzzParsePeriod(f *testing.F) {
	for _, seed := range []string{"week", "2 weeks", "every 12 hours", "cron 0 9 * * 1,4", "cron * * * * *", "cron 0 0 31 2 *", "cron 0 9 * * MON-FRI", "cron */7 1-5/2 ? * 0", "cron TZ=UTC 0 9 * * 1", "0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePeriod(text)
		if err != nil {
			return
		}
		again, err := ParsePeriod(p.String())
		if err != nil || again != p {
			t.Fatalf("%q is %+v, written %q, which is %+v, %v", text, p, p.String(), again, err)
		}
		p.TooShort()
		if p.Cron == "" {
			return
		}
		table, err := compileCron(p.Cron)
		if err != nil {
			t.Fatal(err)
		}
		for n := range int64(3) {
			if at, ok := table.match(n); ok && table.count(at) != n+1 {
				t.Fatalf("%q: match %d is at %d, by which there were %d", p.Cron, n, at, table.count(at))
			}
		}
	})
}
