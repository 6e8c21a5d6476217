package slacksim

// Command is a slash command that the app declares.
type Command struct {
	Name        string `json:"name"`
	Hint        string `json:"hint"`
	Description string `json:"description"`
}

// ShortcutDef is a shortcut that the app declares.
type ShortcutDef struct {
	Name       string `json:"name"`
	CallbackID string `json:"callback_id"`
	// OnMessage marks a shortcut of a message's menu; the others are global.
	OnMessage bool `json:"on_message"`
}

// The defaults repeat what the product's manifest asks for.
var (
	productCommands = []Command{{
		Name:        "/oncall",
		Hint:        "[who|me|next|schedule|shift|override|swap|cover|away|calendar|remind|contact|incidents|incident|plan|ack|resolve|unack|reopen|escalate|snooze|reassign|add|note|severity|merge|link|help]",
		Description: "Who is on call, and who covers for whom",
	}}
	productShortcuts = []ShortcutDef{
		{Name: "Page someone", CallbackID: "shortcut_page"},
		{Name: "Override a shift", CallbackID: "shortcut_override"},
		{Name: "Page on-call about this", CallbackID: "shortcut_page_message", OnMessage: true},
		{Name: "Add to incident timeline", CallbackID: "shortcut_note_message", OnMessage: true},
	}
	productEvents = []string{
		"app_home_opened", "app_mention", "message.im", "user_change", "team_join", "subteam_updated",
		"subteam_members_changed", "member_joined_channel", "channel_archive", "channel_rename",
		"app_uninstalled", "tokens_revoked",
	}
	productScopes = []string{
		"commands", "chat:write", "chat:write.public", "im:write", "im:history", "app_mentions:read",
		"users:read", "users:read.email", "usergroups:read", "usergroups:write", "channels:read", "groups:read",
		"channels:manage", "channels:join", "groups:write", "channels:history", "groups:history", "files:write",
		"files:read", "pins:write", "bookmarks:read", "bookmarks:write", "reactions:write", "reactions:read", "team:read",
		"channels:write.topic", "groups:write.topic",
	}
)
