package view

import (
	"testing"

	"github.com/watchbill/watchbill/oncall"
)

// A notice written by the previous release has its people in its lines.
func TestSentencesOfNotices(t *testing.T) {
	t.Parallel()
	const want = "#7 was for <@U0ANN> &amp; <@U0BO>."
	now := oncall.Saying(oncall.Say("%s was for %s & %s.", oncall.IncidentID(7), oncall.UserID("U0ANN"), oncall.UserID("U0BO")))
	before := oncall.NoticeDetail{Lines: []string{want}}
	for _, d := range []oncall.NoticeDetail{now, before} {
		if got := Notice(oncall.Notice{Kind: oncall.NoticeUnassigned, Detail: d}); got.Text != ":warning: "+want {
			t.Errorf("the notice says %q, want %q", got.Text, ":warning: "+want)
		}
		if got := Notice(oncall.Notice{Kind: "of a newer release", Detail: d}); got.Text != want {
			t.Errorf("got %q, want %q", got.Text, want)
		}
	}
	if now.Lines[0] != "#7 was for U0ANN & U0BO." {
		t.Errorf("the previous release shows %q, want the ids of the people", now.Lines)
	}
}

// A person whose access was revoked is notified by whom, even if it was done on the command line.
func TestNoticeOfRevokedAccess(t *testing.T) {
	t.Parallel()
	const what = "a contact method of yours, SMS …0102: no page goes there any more"
	for by, want := range map[oncall.Actor]string{
		oncall.ByUser("U0BOSS"):                      ":warning: <@U0BOSS> has ended " + what + ".",
		oncall.ByCommandLine("root@db-1 <!channel>"): ":warning: An admin (root@db-1 &lt;!channel&gt;, at the command line) has ended " + what + ".",
	} {
		n := oncall.EndedNotice(by, "U0BO", what, noon)
		if got := Notice(n); got.Text != want || n.To != "U0BO" {
			t.Errorf("the notice to %s says %q, want %q to U0BO", n.To, got.Text, want)
		}
	}
}
