package oncall

import (
	"testing"
	"time"
)

// The outcome of a page decides what happens to the pages of its batch behind it.
func TestBatchRemainderFollowsSentPage(t *testing.T) {
	t.Parallel()
	page := PageStatus{Page: Page{ID: 1, Call: Call{IncidentID: 1, UserID: ann, Method: MethodSlack}}, State: PageWaiting}
	for _, c := range []struct {
		name   string
		change func(*PageFacts)
		want   BatchOrder
	}{
		{"it is sent", func(*PageFacts) {}, BatchNext},
		{"another's message tells of it", func(f *PageFacts) { f.Lead.Bundle = 9 }, BatchNext},
		{"it was delivered", func(f *PageFacts) { f.Lead.State = PageDelivered }, BatchNext},
		{"another job sends it", func(f *PageFacts) { f.Lead.SenderJob, f.Lead.Sending = new(int64(8)), true }, BatchNext},
		{"it comes later", func(f *PageFacts) { f.Lead.At = noon.Add(time.Hour) }, BatchWaits},
		{"its recipient was told a moment ago", func(f *PageFacts) {
			f.Last = LastPage{Page: 7, At: noon, Severity: Critical, Integrations: []IntegrationID{3}}
		}, BatchWaits},
		{"nobody needs it", func(f *PageFacts) {
			in := f.Incidents[1]
			in.Status = Resolved
			f.Incidents[1] = in
		}, BatchDissolves},
		{"its contact method was removed", func(f *PageFacts) { f.Lead.Contact = 4 }, BatchDissolves},
		{"its person has left", func(f *PageFacts) { f.Person = User{DeactivatedAt: new(noon)} }, BatchDissolves},
		{"its number is called too often", func(f *PageFacts) {
			f.Lead.Method, f.Lead.Contact, f.Contact = MethodVoice, 4, &PageContact{Address: "+15550100"}
			f.PhoneCalls = []PhoneCall{{Page: 2, Times: 100, Severities: []Severity{Critical}}}
		}, BatchDissolves},
	} {
		in := triggered()
		in.ID, in.IntegrationID = 1, 3
		f := PageFacts{Lead: page, Incidents: map[IncidentID]Incident{1: in}, Job: 5}
		c.change(&f)
		if got := f.Begin(noon).Batch; got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// Only pages of a person that go at once travel together.
func TestWhichPagesJoinABatch(t *testing.T) {
	t.Parallel()
	in := Incident{IntegrationID: 3}
	for _, c := range []struct {
		page Page
		want bool
	}{
		{Page{Call: Call{UserID: ann, Method: MethodSlack}}, true},
		{Page{Call: Call{UserID: ann, Method: MethodSlack, At: noon}}, true},
		{Page{Call: Call{UserID: ann, Method: MethodVoice, At: noon.Add(time.Minute)}, Contact: 1}, false},
		{Page{Call: Call{Method: MethodChannel, To: "#ops"}}, false},
	} {
		if _, got := c.page.BatchKey(in, noon); got != c.want {
			t.Errorf("%+v: %v, want %v", c.page, got, c.want)
		}
	}
}
