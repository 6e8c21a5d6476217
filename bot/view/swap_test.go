package view

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// checkGolden compares a drawing with its golden file.
func checkGolden(t *testing.T, name string, d Drawing) {
	t.Helper()
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(map[string]any{"text": d.Text, "blocks": d.Blocks}); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", name+".golden.json")
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("%s has changed; run with -update if it should (-want +got):\n%s", name, diff)
	}
	checkLimits(t, d)
}

func berlinWeek(user oncall.UserID, week int) schedule.Stint {
	start := time.Date(2026, 3, 9+7*week, 8, 0, 0, 0, time.UTC)
	return schedule.Stint{
		Schedule: 1, Name: "payments", TimeZone: "Europe/Berlin", Role: schedule.RolePrimary, User: user,
		Start: start, End: start.AddDate(0, 0, 7),
	}
}

// swapNotice returns a swap of Ann's week for one of Cy's, who lives in New York.
func swapNotice(kind oncall.NoticeKind, to, zone, state string) oncall.Notice {
	return oncall.Notice{
		ID: 1, To: to, Kind: kind, About: 7, Detail: oncall.NoticeDetail{
			Stints: []schedule.Stint{berlinWeek(ann, 0), berlinWeek(cy, 1)}, End: noon.Add(48 * time.Hour),
			State: state, By: cy, Note: "a wedding", TimeZone: zone,
		},
	}
}

func TestDrawSwaps(t *testing.T) {
	t.Parallel()
	const newYork, berlin = "America/New_York", "Europe/Berlin"
	ask := swapNotice(oncall.NoticeSwapAsk, string(cy), newYork, "open")
	ask.Detail.Clashes = []schedule.Stint{{
		Name: "ops", TimeZone: "UTC", Role: schedule.RoleSecondary, User: cy, Start: noon.AddDate(0, 0, 8), End: noon.AddDate(0, 0, 8).Add(time.Hour),
	}}
	ask.Detail.Others = []oncall.UserID{cy}
	for name, n := range map[string]oncall.Notice{
		"swap_ask":       ask,
		"swap_sent":      swapNotice(oncall.NoticeSwapSent, string(ann), berlin, "open"),
		"swap_accepted":  swapNotice(oncall.NoticeSwapAsk, string(cy), newYork, "accepted"),
		"swap_begun":     swapNotice(oncall.NoticeSwapSent, string(ann), berlin, string(oncall.SwapBegun)),
		"swap_declined":  swapNotice(oncall.NoticeSwapNews, string(ann), berlin, "declined"),
		"swap_withdrawn": swapNotice(oncall.NoticeSwapAsk, string(cy), newYork, "withdrawn"),
		"swap_stale":     swapNotice(oncall.NoticeSwapNews, string(ann), berlin, "stale"),
		"swap_expired":   swapNotice(oncall.NoticeSwapSent, string(ann), berlin, "expired"),
		"swap_undone":    swapNotice(oncall.NoticeSwapDone, "C0PAY", "", "undone"),
		"swap_done":      swapNotice(oncall.NoticeSwapDone, "C0PAY", "", "accepted"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkGolden(t, name, Notice(n))
		})
	}
}

func coverNotice(kind oncall.NoticeKind, to, zone, state string, takes ...oncall.CoverTake) oncall.Notice {
	return oncall.Notice{
		ID: 1, To: to, Kind: kind, About: 7, Detail: oncall.NoticeDetail{
			Stints: []schedule.Stint{berlinWeek(ann, 0)}, State: state, By: ann, Note: "at the dentist's",
			Users: []oncall.UserID{cy}, Others: []oncall.UserID{bo}, Takes: takes, TimeZone: zone,
		},
	}
}

func TestDrawCovers(t *testing.T) {
	t.Parallel()
	const newYork, berlin = "America/New_York", "Europe/Berlin"
	s := berlinWeek(ann, 0)
	part := oncall.CoverTake{User: bo, Start: s.Start.Add(9 * time.Hour), End: s.Start.Add(13 * time.Hour)}
	all := oncall.CoverTake{User: bo, Start: s.Start, End: s.End}
	unasked := coverNotice(oncall.NoticeCoverSent, string(ann), berlin, "open")
	unasked.Detail.Users, unasked.Detail.Others = nil, nil
	atNight := coverNotice(oncall.NoticeCoverSent, string(ann), berlin, "open")
	atNight.Detail.Users, atNight.Detail.Others = nil, nil
	atNight.Detail.Unasked = []oncall.CoverUnasked{
		{User: bo, Why: oncall.UnaskedNight, At: noon.Add(19 * time.Hour)}, {User: cy, Why: oncall.UnaskedAway}, {User: "U0DI", Why: oncall.UnaskedOnCall},
	}
	for name, n := range map[string]oncall.Notice{
		"cover_ask":       coverNotice(oncall.NoticeCoverAsk, string(cy), newYork, "open"),
		"cover_ask_rest":  coverNotice(oncall.NoticeCoverAsk, string(cy), newYork, "open", part),
		"cover_ask_taken": coverNotice(oncall.NoticeCoverAsk, string(cy), newYork, "taken", all),
		"cover_sent":      coverNotice(oncall.NoticeCoverSent, string(ann), berlin, "open"),
		"cover_unasked":   unasked,
		"cover_at_night":  atNight,
		"cover_for":       coverNotice(oncall.NoticeCoverSent, string(bo), berlin, "withdrawn"),
		"cover_news":      coverNotice(oncall.NoticeCoverNews, string(ann), berlin, "taken", part),
		"cover_pending":   coverNotice(oncall.NoticeCoverNews, string(ann), berlin, oncall.CoverPending),
		"cover_done":      coverNotice(oncall.NoticeCoverDone, "C0PAY", "", "taken", all),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkGolden(t, name, Notice(n))
		})
	}
}

func TestDrawCoverWhose(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]CoverWhose{
		"cover_whose":         {Other: cy, Shift: berlinWeek(cy, 0), May: true, Swaps: true},
		"cover_whose_refused": {Other: cy, Shift: berlinWeek(cy, 0), Swaps: true},
		"cover_whose_none":    {Other: cy},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkGolden(t, name, w.Draw("America/New_York"))
		})
	}
}

func TestShiftChoice(t *testing.T) {
	t.Parallel()
	s, err := schedule.Compile(weekly())
	if err != nil {
		t.Fatal(err)
	}
	add := ShiftDraft{Users: []oncall.UserID{ann}, From: noon, To: noon.Add(2 * time.Hour)}
	for name, w := range map[string]ShiftDraft{"shift_choice_add": add, "shift_choice_delete": {Delete: true, From: add.From, To: add.To}} {
		v := ShiftChoice([]*schedule.Schedule{s, s}, w, time.UTC)
		golden(t, name, v)
		if got, err := ReadShiftDraft(v.PrivateMetadata); err != nil || !got.From.Equal(w.From) || got.Delete != w.Delete || len(got.Users) != len(w.Users) {
			t.Errorf("the form's draft is %+v, %v; want %+v", got, err, w)
		}
	}
}

// Foreign text in notes and names can't mention anybody or break a message.
func TestSwapsEscapeForeignText(t *testing.T) {
	t.Parallel()
	swap := swapNotice(oncall.NoticeSwapAsk, string(cy), "", "open")
	cover := coverNotice(oncall.NoticeCoverAsk, string(cy), "", "open")
	for _, n := range []oncall.Notice{swap, cover} {
		n.Detail.Note = strings.Repeat("<!channel>", 1000)
		n.Detail.Stints[0].Name = strings.Repeat("<!here>", 1000)
		d := Notice(n)
		checkLimits(t, d)
		all, err := json.Marshal(d.Blocks)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"<!here>", `\u003c!here`, "<!channel>", `\u003c!channel`} {
			if strings.Contains(string(all)+d.Text, bad) {
				t.Errorf("the drawing contains %q, want it escaped", bad)
			}
		}
	}
}
