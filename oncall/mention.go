package oncall

// mention names a person in a sentence; Slack shows who it is.
func (u UserID) mention() string { return "<@" + string(u) + ">" }
