package oncall

// SyncGroups brings Slack's user groups to who is on call.
type SyncGroups struct{}

// SetTopic brings the topic of a team's channel to who is on call.
type SetTopic struct {
	Team TeamID `json:"team"`
}

// Guard looks for what will go wrong with cover.
type Guard struct{}

// Kind names the job.
func (SyncGroups) Kind() string { return "sync_groups" }

// Kind names the job.
func (SetTopic) Kind() string { return "set_topic" }

// Kind names the job.
func (Guard) Kind() string { return "guard" }
