package slacksim

// assumptions is the one list of what the simulator does without a source that could be checked:
// behaviour that Slack does not document and that was not observed. Each is marked unverified, and
// each is to be tried in a real workspace before it is relied on.
var assumptions = []string{
	"auth.test answers the scopes in the header X-OAuth-Scopes",
	"a missing argument is answered by invalid_arguments with response_metadata.messages",
	"an invalid view is answered by invalid_arguments with pointers below /view",
	"the wording of the validator's messages; only their form is known",
	"two blocks with one block_id, or two elements of a block with one action_id, are refused",
	"a reply to an unknown message, or to a reply, is answered by cannot_reply_to_message",
	"a private channel without the bot is answered by channel_not_found everywhere",
	"chat.update with blocks and no text keeps the old text",
	"metadata over 8,192 bytes is metadata_too_large",
	"a deleted root message with replies leaves a tombstone",
	"views.open replaces whatever modals the person had open",
	"views.publish for an unknown person is invalid_arguments",
	"the ack of a view_submission with an invalid view, or errors for a block that is no input, leaves the modal open with a connection error",
	"a ticket of apps.connections.open opens one socket",
	"an app-level token in the form instead of the header is invalid_auth",
	"an acknowledgement is accepted over another socket than the one that delivered",
	"block_actions carry accepts_response_payload false; shortcuts and events too",
	"the server pings every 10 seconds",
	"the eleventh socket is told too_many_websockets and gets no envelopes",
	"a socket told to refresh gets nothing new, and is closed 10 seconds later",
	"the connection stays open for 30 seconds under a socket that was closed",
	"the retry_reason is timeout also when nobody was connected",
	"a slash command or interaction is never delivered again by itself",
	"what a person reads when nothing was acknowledged: operation_timeout, or dispatch_failed without a socket",
	"an in_channel answer to a command prints the typed command in front, as a message of the person",
	"posting beyond a burst of 10 at one a second and channel is answered by 429",
	"posting more than 300 messages in any 60 seconds, over all conversations, is answered by 429",
	"a message sent to a response_url counts as a post in its conversation and workspace, and replacing one is no chat.update",
	"replace_original keeps a message's metadata",
	"more than 4 posts to a channel within a second are accepted and not displayed",
	"methods of the special tier allow 600 calls a minute",
	"errors of a response_url: used_url, expired_url, invalid_url with status 404",
	"app_mention is sent only where the bot is a member",
	"with should_escape, the handle of a user group becomes <!subteam^ID|@handle>",
	"replace_original on a message that the bot did not write shows a new message to the person",
	"writing methods answer invalid_arguments for an unknown user group",
	"dates in messages are shown in the zone of the chosen person instead of the device",
	"the state of blocks in a message starts anew with every interaction",
}

// Assumptions lists what the simulator does without a source.
func Assumptions() []string { return append([]string(nil), assumptions...) }
