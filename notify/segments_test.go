package notify

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSegmentsCountAsTwilioDoes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		want int
	}{
		{"", 0},
		{"disk full", 1},
		{strings.Repeat("a", 160), 1},
		{strings.Repeat("a", 161), 2},
		{strings.Repeat("a", 306), 2},
		{strings.Repeat("a", 307), 3},
		{strings.Repeat("€", 80), 1},
		{strings.Repeat("€", 81), 2},
		{strings.Repeat("€", 152), 2}, // 76 in each; one septet is unused
		{strings.Repeat("€", 153), 3},
		{strings.Repeat("a", 69) + "’", 1},
		{strings.Repeat("a", 70) + "’", 2},
		{strings.Repeat("😀", 35), 1},
		{strings.Repeat("😀", 66), 2}, // 33 in each
		{strings.Repeat("😀", 67), 3},
	} {
		if got := segments(tt.text); got != tt.want {
			t.Errorf("%d characters %.10q…: %d segments, want %d", utf8.RuneCountInString(tt.text), tt.text, got, tt.want)
		}
	}
}

func TestToGSM7(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"“disk” isn’t full – 98 % … •": `"disk" isn't full - 98 % ... -`,
		"Zürich, São Paulo, Łódź, Åbo": "Zürich, Sao Paulo, Lodz, Åbo",
		"fire 🔥 in\tdb-1\u200b\x07":    "fire  in db-1",
		"диск полон":                   "диск полон",
		"ディスク “full”":                  "ディスク “full”",
		"x→y ≥ 3 µs, 20 °C":            "x->y >= 3 us, 20  degC",
	} {
		if got := toGSM7(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

// With any title, a page takes at most two segments and says what to answer.
func TestCutSMSKeepsItsCode(t *testing.T) {
	t.Parallel()
	for _, title := range []string{
		"", "disk full", strings.Repeat("a", 1000), strings.Repeat("диск полон ", 100), strings.Repeat("€[]", 200), strings.Repeat("😀", 500),
		strings.Repeat("“smart” ", 90), "line\none\r\ntwo", strings.Repeat("磁盘已满", 80),
	} {
		for _, m := range []Message{
			{Purpose: ForPage, Key: "k", Incident: 123456, Severity: "critical", Code: 14, Title: title},
			{Purpose: ForPage, Key: "k", Count: 40, Code: 14, Lines: []string{title, title, title}},
			{Purpose: ForTest, Key: "k", Code: 14, Title: title},
			{Purpose: ForCheck, Key: "k", Code: 14, Title: title},
		} {
			text := smsText(m)
			offer := map[Purpose]string{ForPage: "Reply 14a ", ForTest: "Reply 14a ", ForCheck: "Any reply is a yes"}[m.Purpose]
			if n := segments(text); n > maxSegments || !strings.Contains(text, offer) || !strings.HasSuffix(text, " ("+marker(m)+")") {
				t.Errorf("%s %.20q: %d segments, want at most %d, with %q and, at the end, %q: %q", m.Purpose, title, n, maxSegments, offer, marker(m), text)
			}
		}
	}
}

func FuzzFit(f *testing.F) {
	f.Add("disk “full”")
	f.Add(strings.Repeat("ж€", 300))
	f.Fuzz(func(t *testing.T, title string) {
		m := Message{Purpose: ForPage, Key: "k", Incident: 12, Severity: "high", Code: 3, Title: title}
		if text := smsText(m); segments(text) > maxSegments || !strings.Contains(text, "Reply 3a ack") || !utf8.ValidString(text) {
			t.Errorf("%q became %q, want UTF-8 in at most %d segments, with \"Reply 3a ack\"", title, text, maxSegments)
		}
	})
}

// A page about an alert that joined an incident begins with that alert, which must not be cut off.
func TestTextsNameTheAlertThatJoined(t *testing.T) {
	t.Parallel()
	m := Message{Purpose: ForPage, Incident: 16, Severity: "critical", Title: "Alert storm from demo, such as pod api-10 crashlooping", Joined: "lat\ntest", Code: 2}
	want := "lat test, new in Alert storm from demo, such as pod api-10 crashlooping. "
	if got := smsText(m); got != "Watchbill #16 critical: "+want+"Reply 2a ack, 2r resolve, 2e escalate" {
		t.Errorf("the text: %q, want it with %q", got, want)
	}
	if got := voiceText(m, "Press 1."); !strings.Contains(got, "lat test, new in Alert storm from demo") {
		t.Errorf("the call: %q, want it with the alert first", got)
	}
	m.Joined, m.Title = strings.Repeat("j", 500), strings.Repeat("t", 500)
	if got := smsText(m); segments(got) > maxSegments || !strings.Contains(got, "Reply 2a ack") {
		t.Errorf("the long text became %q, want at most %d segments, with \"Reply 2a ack\"", got, maxSegments)
	}
	m.Count, m.Lines = 2, []string{"#16 critical: Alert storm", "#17 high: queue"}
	if got := smsText(m); strings.Contains(got, "jjj") {
		t.Errorf("a bundle: %q, want its incidents alone", got)
	}
}

// A request for help says who asks and what to answer.
func TestTextsAskAResponder(t *testing.T) {
	t.Parallel()
	m := Message{Purpose: ForPage, AskedBy: "Cy", Incident: 58, Severity: "critical", Title: "disk full", Code: 2, Why: "Cy asks you to help: the replica"}
	if got, want := smsText(m), "Watchbill: Cy asks you to help with #58 critical: disk full. Reply 2a accept, 2d decline"; got != want {
		t.Errorf("the text: %q, want %q", got, want)
	}
	m.AskedFor = "the replica"
	if got, want := smsText(m), "Watchbill: Cy asks you to help with #58 critical (the replica): disk full. Reply 2a accept, 2d decline"; got != want {
		t.Errorf("the text with a reason: %q, want %q", got, want)
	}
	if got := voiceText(m, "Press 1."); !strings.Contains(got, "disk full. The reason: the replica. Press 1.") {
		t.Errorf("the call with a reason: got %q, want it with \"disk full. The reason: the replica. Press 1.\"", got)
	}
	var labels []string
	for _, b := range m.buttons() {
		labels = append(labels, string(b.does)+" "+b.label)
	}
	if got := strings.Join(labels, ", "); got != "a Accept, d Decline, r Resolve" {
		t.Errorf("the buttons: %s, want %s", got, "a Accept, d Decline, r Resolve")
	}
	if v := m.mailView(); v.Offer != "Accept or decline" || v.InSlack != "" || v.Because != "You are paged because Cy asks you to help: the replica." {
		t.Errorf("got mail %+v, want accept or decline, and who asks", v)
	}
	m.Count, m.Lines = 2, []string{"#58 critical: disk full", "#59 high: queue"}
	if got, want := smsText(m), "Watchbill: Cy asks you to help with 2 incidents: #58 critical: disk full; #59 high: queue. Reply 2a accept all, 2d decline all"; got != want {
		t.Errorf("the text of several: %q, want %q", got, want)
	}
	m = Message{Purpose: ForPage, AskedBy: strings.Repeat("дядя ", 50), Incident: 58, Severity: "critical", Title: strings.Repeat("диск полон ", 100), Code: 2, AskedFor: strings.Repeat("реплика ", 50)}
	if got := smsText(m); segments(got) > maxSegments || !strings.Contains(got, "Reply 2a accept, 2d decline") {
		t.Errorf("long text: got %q, want at most %d segments with the offer", got, maxSegments)
	}
}
