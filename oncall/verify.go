package oncall

// Verify sends the code that proves a contact method.
type Verify struct {
	Contact ContactID `json:"contact"`
}

// TestPage shows a person how a page by one contact method looks; 0 is Slack.
type TestPage struct {
	User    UserID    `json:"user"`
	Contact ContactID `json:"contact"`
}

// CheckReach asks a person whether a contact method still reaches them.
type CheckReach struct {
	Contact ContactID `json:"contact"`
}

// Kind names the job.
func (Verify) Kind() string { return "verify" }

// Kind names the job.
func (TestPage) Kind() string { return "test_page" }

// Kind names the job.
func (CheckReach) Kind() string { return "check_reach" }
