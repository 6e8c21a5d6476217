package view

import (
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// contactNotice returns a notice about Ann's SMS.
func contactNotice(kind oncall.NoticeKind, to oncall.UserID, why string) oncall.Notice {
	c := oncall.Contact{ID: 3, UserID: ann, Method: oncall.MethodSMS, Address: "+12025550100"}
	return oncall.ContactNotice(kind, c, why, string(to), noon)
}

// phoneNotice returns the notice about the first phone number of a country.
func phoneNotice() oncall.Notice {
	what, cause := oncall.NewCountry(bo, "SO")
	return oncall.PhoneNotices(what, cause, []string{string(ann)}, noon)[0]
}

func phoneRestsNotice() oncall.Notice {
	n := contactNotice(oncall.NoticePhoneRests, ann, "")
	n.Detail.Method, n.Detail.Address, n.Detail.Count = oncall.MethodVoice, "+12025550107", 6
	n.Detail.End, n.Detail.TimeZone = noon.Add(time.Hour), "Europe/Berlin"
	return n
}

func TestDrawContactNotices(t *testing.T) {
	t.Parallel()
	bundle := oncall.BundleNotice("k", 7, ann, []oncall.Incident{
		{ID: 8, Severity: oncall.Critical, Title: "disk full on <db-1>"}, {ID: 9, Severity: oncall.High, Title: "queue grows"},
	})
	more, over, some, acked := bundle, bundle, bundle, bundle
	some.Detail.Incidents, some.Detail.Answered, some.Detail.Over = append([]oncall.IncidentID{4, 5, 6}, bundle.Detail.Incidents...), 2, 1
	more.Detail.Lines = more.Detail.Lines[:1]
	acked.Detail.State, acked.Detail.Answered = oncall.BundleAcked, 2
	over.Detail.State, over.Detail.Answered, over.Detail.Over = oncall.BundleAcked, 2, 2
	for name, n := range map[string]oncall.Notice{
		"contact_off":           contactNotice(oncall.NoticeContact, ann, "you answered STOP"),
		"contact_off_others":    contactNotice(oncall.NoticeContact, bo, "you answered STOP"),
		"contact_on":            contactNotice(oncall.NoticeContactOn, ann, ""),
		"contact_silent":        contactNotice(oncall.NoticeSilent, ann, ""),
		"contact_silent_others": contactNotice(oncall.NoticeSilent, bo, ""),
		"contact_unsent":        contactNotice(oncall.NoticeUnsent, ann, "Twilio says <no>."),
		"contact_proof":         {To: string(ann), Kind: oncall.NoticeProof, Detail: oncall.NoticeDetail{Method: oncall.MethodTelegram, Note: "abcd234"}},
		"page_test":             {To: string(ann), Kind: oncall.NoticeTest},
		"delivery_blocked":      {To: string(ann), Kind: oncall.NoticeBlocked, Detail: oncall.NoticeDetail{Method: oncall.MethodEmail, Note: "535 no such user"}},
		"delivery_failed":       oncall.UnreachedNotices(oncall.Incident{ID: 8, Title: "disk <full>"}, []string{string(bo)})[0],
		"channel_refused":       oncall.ChannelNotices(oncall.Team{Name: "pay<ments>", Channel: "#payments"}, "is_archived", []oncall.UserID{ann}, noon)[0],
		"channel_refused_id":    oncall.ChannelNotices(oncall.Team{Name: "payments", Channel: "C0PAY"}, "restricted_action_read_only_channel", []oncall.UserID{ann}, noon)[0],
		"phones":                phoneNotice(),
		"phone_rests":           phoneRestsNotice(),
		"bundle":                bundle,
		"bundle_more":           more,
		"bundle_over":           over,
		"bundle_some":           some,
		"bundle_acked":          acked,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkGolden(t, name, Notice(n))
		})
	}
}

// A bundle links to its incidents, unless the links would push some of them out.
func TestBundleLinksItsIncidents(t *testing.T) {
	t.Parallel()
	var all []oncall.Incident
	links := map[oncall.IncidentID]string{}
	for i := range 20 {
		id := oncall.IncidentID(i + 1)
		all = append(all, oncall.Incident{ID: id, Severity: oncall.High, Title: "disk <full>"})
		if i > 0 {
			links[id] = "https://example.slack.com/archives/C0PAY/p1" + strings.Repeat("0", i)
		}
	}
	n := oncall.BundleNotice("k", 7, ann, all)
	d := Bundle(n, links)
	checkLimits(t, d)
	want := "• #1 high: disk &lt;full&gt;\n• <https://example.slack.com/archives/C0PAY/p10|#2> high: disk &lt;full&gt;\n"
	if text := d.Blocks[0].(*slack.SectionBlock).Text.Text; !strings.Contains(text, want) || !strings.HasSuffix(text, "and 5 more") {
		t.Errorf("the bundle says\n%s\nwant in it\n%s", text, want)
	}
	for i := range all {
		all[i].Title = strings.Repeat("full ", 100)
	}
	d = Bundle(oncall.BundleNotice("k", 7, ann, all), links)
	checkLimits(t, d)
	if text := d.Blocks[0].(*slack.SectionBlock).Text.Text; strings.Contains(text, "slack.com") || !strings.HasSuffix(text, "and 5 more") {
		t.Errorf("a bundle of many incidents says\n%s\nwant no links, and \"and 5 more\" at the end", text)
	}
}
