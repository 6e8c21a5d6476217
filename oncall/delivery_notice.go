package oncall

import (
	"fmt"
	"hash/fnv"
	"time"
)

// The notices about contact methods and delivery.
const (
	NoticeBlocked   NoticeKind = "delivery_blocked" // to admins: pages by a method wait for them to act
	NoticeChannel   NoticeKind = "channel_refused"  // to admins: Slack refuses messages in a team's channel
	NoticeUnreached NoticeKind = "delivery_failed"  // to admins: nobody of a step could be reached
	NoticeContact   NoticeKind = "contact_off"      // to a person and admins: a contact method is switched off
	NoticeContactOn NoticeKind = "contact_on"       // to a person: it is switched on again
	NoticeSilent    NoticeKind = "contact_silent"   // to a person and admins: nobody answers there
	NoticeProof     NoticeKind = "contact_proof"    // to a person: what to send to the bot of Telegram
	NoticeUnsent    NoticeKind = "contact_unsent"   // to a person: a code or a test could not be sent
	NoticePhones    NoticeKind = "phones"           // to admins: many codes and tests go to phones
	NoticeTest      NoticeKind = "page_test"        // to a person: a test page in Slack
	NoticeBundle    NoticeKind = "bundle"           // a page about several incidents
)

// BundleAcked is the state of a bundle none of whose incidents waits for its person any more.
const BundleAcked = "acknowledged"

// BlockedNotices tell, once a day, that an admin has to act before a method can send.
func BlockedNotices(method Method, why string, to []string, now time.Time) []Notice {
	var out []Notice
	for _, who := range to {
		out = append(out, Notice{
			Key: fmt.Sprintf("blocked/%s/%s/%s", method, now.UTC().Format(time.DateOnly), who), To: who,
			Kind: NoticeBlocked, Detail: NoticeDetail{Method: method, Note: why},
		})
	}
	return out
}

// RemedyNotices tell, once a day for each cause, what an admin has to fix so that a method reaches everybody.
func RemedyNotices(method Method, what string, to []string, now time.Time) []Notice {
	cause := fnv.New32a()
	cause.Write([]byte(what))
	return mendNotices(method, fmt.Sprintf("%08x", cause.Sum32()), what, to, now)
}

// UnreadAnswerNotices tell, once a day, that answers by a method can't be read.
func UnreadAnswerNotices(method Method, why string, to []string, now time.Time) []Notice {
	return mendNotices(method, "deaf", "what people answer has not been read for a minute: "+why, to, now)
}

func mendNotices(method Method, cause, what string, to []string, now time.Time) []Notice {
	out := BlockedNotices(method, what, to, now)
	for i := range out {
		out[i].Key += "/" + cause
		out[i].Detail.Lines = []string{what} // distinguishes it from a method that reaches nobody
	}
	return out
}

// ChannelNotices tell people, once a day, that Slack refuses messages in a team's channel. Why is Slack's error code.
func ChannelNotices(t Team, why string, to []UserID, now time.Time) []Notice {
	var out []Notice
	for _, who := range to {
		out = append(out, Notice{
			Key: fmt.Sprintf("channel/%d/%s/%s/%s", t.ID, t.Channel, now.UTC().Format(time.DateOnly), who), To: string(who),
			Kind: NoticeChannel, Detail: NoticeDetail{
				Team: t.Name, Address: t.Channel, Note: why,
				Lines: []string{"Slack refuses the messages of incidents in a team's channel: " + why + "."}, // for older releases
			},
		})
	}
	return out
}

// UnreachedNotices tell, once for each incident, that a step reached nobody.
func UnreachedNotices(in Incident, to []string) []Notice {
	var out []Notice
	for _, who := range to {
		out = append(out, Notice{
			Key: fmt.Sprintf("unreached/%d/%s", in.ID, who), To: who, Kind: NoticeUnreached,
			Detail: NoticeDetail{Incidents: []IncidentID{in.ID}, Note: in.Title},
		})
	}
	return out
}

// ContactNotice tells that a contact method was switched off or on, or that nobody answers by it.
func ContactNotice(kind NoticeKind, c Contact, why, to string, now time.Time) Notice {
	return Notice{
		Key: fmt.Sprintf("%s/%d/%d/%s", kind, c.ID, now.UnixMilli(), to), To: to, Kind: kind,
		Detail: NoticeDetail{Users: []UserID{c.UserID}, Method: c.Method, Address: c.Address, Note: why},
	}
}

// BundleNotice returns the direct message that pages a person about several incidents, worst first.
func BundleNotice(key string, lead PageID, to UserID, incidents []Incident) Notice {
	f := NoticeDetail{Users: []UserID{to}}
	for _, in := range incidents {
		f.Incidents = append(f.Incidents, in.ID)
	}
	f.Lines = BundleLines(incidents, maxBundleLines)
	return Notice{Key: key, To: string(to), Kind: NoticeBundle, About: int64(lead), Detail: f, Version: 1}
}

// maxBundleLines is how many incidents a direct message names.
const maxBundleLines = 15

// BundleLines has one line for each of the first incidents.
func BundleLines(incidents []Incident, most int) []string {
	var lines []string
	for _, in := range incidents[:min(most, len(incidents))] {
		lines = append(lines, fmt.Sprintf("%s %s: %s", in.ID, in.Severity, in.Title))
	}
	return lines
}

// NoticeEnded tells a person that an admin has revoked something of theirs.
const NoticeEnded NoticeKind = "ended"

// EndedNotice tells a person what somebody else has revoked of theirs.
func EndedNotice(by Actor, to UserID, what string, now time.Time) Notice {
	text := Say("%s has ended %s.", by.User, what)
	if by.User == "" {
		text = Say("An admin (%s, at the command line) has ended %s.", by.Name, what)
	}
	cause := fnv.New32a()
	cause.Write([]byte(what))
	return Notice{
		Key: fmt.Sprintf("ended/%s/%d/%08x", to, now.UnixMicro(), cause.Sum32()), To: string(to),
		Kind: NoticeEnded, Detail: Saying(text),
	}
}
