package view

import (
	"testing"

	"github.com/watchbill/watchbill/oncall"
)

// A notice of the release before this one has its people in its lines.
func TestSentencesOfNotices(t *testing.T) {
	t.Parallel()
	const want = "#7 was for <@U0ANN> &amp; <@U0BO>."
	now := oncall.Saying(oncall.Say("%s was for %s & %s.", oncall.IncidentID(7), oncall.UserID("U0ANN"), oncall.UserID("U0BO")))
	before := oncall.NoticeDetail{Lines: []string{want}}
	for _, d := range []oncall.NoticeDetail{now, before} {
		if got := Notice(oncall.Notice{Kind: oncall.NoticeUnassigned, Detail: d}); got.Text != ":warning: "+want {
			t.Errorf("%q", got.Text)
		}
		if got := Notice(oncall.Notice{Kind: "of a newer release", Detail: d}); got.Text != want {
			t.Errorf("%q", got.Text)
		}
	}
	if now.Lines[0] != "#7 was for U0ANN & U0BO." {
		t.Errorf("the release before shows %q", now.Lines)
	}
}
