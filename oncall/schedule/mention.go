package schedule

// Mention names a person in a sentence; Slack shows who it is.
func (u UserID) Mention() string { return "<@" + string(u) + ">" }
