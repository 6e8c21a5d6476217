package slacksim

// An assumption is behaviour of the simulator without a source, and how to verify it in a real workspace.
type assumption struct{ what, settle string }

// assumptions is the only list of them: behaviour that Slack doesn't document and that wasn't seen in a
// recording. docs/first-hour.md has the important ones as steps.
var assumptions = []assumption{
	{"a private channel without the bot is answered by channel_not_found everywhere", "post, edit, read and set the topic of a private channel that the app has left"},
	{"chat.update with blocks and no text keeps the old text", "edit a message with blocks only, and read it"},
	{"metadata over 8,192 bytes is metadata_too_large", "post with 8,193 bytes of metadata"},
	{"chat.update of what is left of a deleted message is cant_update_message", "delete a message that has a reply, and edit it"},
	{"views.publish for an unknown person is invalid_arguments", "publish a good view for U0NOBODY"},
	{"a ticket of apps.connections.open opens one socket", "dial one address twice"},
	{"an app-level token in the form instead of the header is invalid_auth", "call apps.connections.open so"},
	{"an acknowledgement is accepted over another socket than the one that delivered", "open two sockets, type a command, and acknowledge it over the other one"},
	{"a socket told to refresh gets nothing new, and is closed 10 seconds later", "connect with &debug_reconnects=true and watch one for six minutes"},
	{"the connection stays open for 30 seconds under a socket that was closed", "close one properly, and wait for the end of TCP"},
	{"the retry_reason is timeout also when nobody was connected", "write to the bot while nothing is connected, then connect"},
	{"posting beyond a burst of 10 at one a second and channel is answered by 429", "post 30 messages in a scratch channel at once"},
	{"more than 4 posts to a channel within a second are accepted and not displayed", "count them in the same channel"},
	{"errors of a response_url: used_url, expired_url, invalid_url with status 404", "use one six times, and one after 31 minutes"},
	{"app_mention is sent only where the bot is a member", "mention the app in a channel without it"},
	{"with should_escape, the handle of a user group becomes <!subteam^ID|@handle>", "type /oncall note 1 with a user group's handle"},
	{"with should_escape, a private channel becomes <#ID|>", "type /oncall note 1 with a private channel's name"},
	{"replace_original on a message that the bot did not write shows a new message to the person", "use the response_url of a message shortcut"},
	{"chat.update in an archived channel is is_inactive", "archive a scratch channel, and edit a message in it"},
	{"on Enterprise Grid, people have enterprise_user also in users.lookupByEmail, team_join and user_change", "look somebody up by address, and change a name"},
	{"a command's answer with blocks that Slack refuses shows invalid_command_response and no part of the answer", "answer a command of a test app with a section without text"},
	{"writing methods answer no_such_subteam for an unknown user group", "disable S0NOBODY"},
	{"without groups:read, conversations.list of private channels is invalid_types", "remove the scope, and list both kinds"},
	{"conversations.replies without membership is channel_not_found", "post in a public channel without the app, and read the thread"},
	{"dates in messages are shown in the zone of the chosen person instead of the device", "known: Slack goes by the device"},
	{"views.open while a modal is open shows the new one instead", "known: some devices don't; the simulator counts it among Misuses, and every test fails on them"},
	{"posting more than 300 messages in any 60 seconds, over all conversations, is answered by 429", "post 400 messages within a minute to 20 scratch channels, half of them by a response_url"},
	{"a message sent to a response_url counts as a post in its conversation and workspace, and replacing one is no chat.update", "post 400 messages within a minute to 20 scratch channels, half of them by a response_url"},
}

// Assumptions lists the simulator's behaviour without a source, each with how to verify it.
func Assumptions() []string {
	list := make([]string, len(assumptions))
	for i, a := range assumptions {
		list[i] = a.what + "\n            to settle: " + a.settle
	}
	return list
}
