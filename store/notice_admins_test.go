package store_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// Installation admins are notified of what only they can fix: those whom the setting names and, without it,
// the workspace's owners; and to the managers of the teams that have to do without, who are not told twice.
func TestAdminsAreNotifiedOfWhatOnlyTheyCanFix(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		admins []string
		want   []string
	}{
		"the workspace's owners":  {nil, []string{"U0BO", "U0OWNER"}},
		"whom the setting names":  {[]string{"U0BOSS"}, []string{"U0BO", "U0BOSS"}},
		"by a mail address":       {[]string{"BOSS@example.com"}, []string{"U0BO", "U0BOSS"}},
		"who manages a team, too": {[]string{"U0BO"}, []string{"U0BO"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.grow(func(s *setup.Setup) { s.Teams[0].Managers = []string{"bo"} })
			w.person(oncall.User{ID: "U0OWNER", Standing: oncall.FullMember, Owner: true})
			w.person(oncall.User{ID: "U0BOSS", Email: "boss@example.com", Standing: oncall.FullMember})
			w.exec(`UPDATE users SET standing = 'member'`)
			w.pagedBySMS(ann, "+12025550100")
			w.open()
			s, err := store.Open(t.Context(), w.url, store.Options{MaxConns: 4, Secrets: storetest.Secrets(), Log: zerolog.Nop(), Admins: c.admins})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			told := func(like string) (to []string) {
				rows, err := w.Pool().Query(t.Context(), `SELECT recipient FROM notices WHERE kind = 'delivery_blocked' AND facts::text LIKE '%' || $1 || '%'`, like)
				if err != nil {
					t.Fatal(err)
				}
				defer rows.Close()
				for rows.Next() {
					var one string
					w.check(rows.Scan(&one))
					to = append(to, one)
				}
				slices.Sort(to)
				return to
			}
			w.check(s.NotifyUnreadAnswers(t.Context(), oncall.MethodSMS, "401 Unauthorized", start))
			w.check(s.NotifyUnreadAnswers(t.Context(), oncall.MethodSMS, "401 Unauthorized", start)) // once a day
			if diff := cmp.Diff(c.want, told("401 Unauthorized")); diff != "" {
				t.Errorf("answers can't be read (-want +got):\n%s", diff)
			}
			if order := must[oncall.PageOrder](t)(s.BeginPage(t.Context(), oncall.SendPage{Page: 1}, 1, start)); !order.Send {
				t.Fatalf("the order is %+v, want the page sent", order)
			}
			w.check(s.RecordPage(t.Context(), 1, oncall.PageBlocked{Why: "the account is suspended"}, start))
			if diff := cmp.Diff(c.want, told("the account is suspended")); diff != "" {
				t.Errorf("a provider takes nothing (-want +got):\n%s", diff)
			}
		})
	}
}
