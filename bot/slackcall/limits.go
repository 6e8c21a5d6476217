package slackcall

import "time"

// A Priority decides which call goes first when calls have to wait.
type Priority int

// The priorities, most urgent first.
const (
	ForCritical Priority = iota + 1 // a page of a critical incident
	ForPage                         // any other page
	ForAnswer                       // a person clicked or typed and is waiting
	ForRoot                         // an open incident, of a team with few, is posted or redrawn
	ForAlarm                        // nobody has answered; notices
	ForBacklog                      // an open incident, of a team with very many, is posted or redrawn
	ForUpdate                       // a resolved incident is redrawn
	ForThread                       // replies in threads
	ForCount                        // only a count has changed
	ForRest
)

// The methods that need special treatment.
const (
	methodPost    = "chat.postMessage"
	methodUpdate  = "chat.update"
	methodAnswer  = "response_url"
	methodHistory = "conversations.history"
)

// methods lists the methods that we call, with the number of calls that Slack allows per minute and workspace, 0 if
// that is practically unlimited, and the priority of calls that have no priority of their own.
var methods = map[string]struct {
	perMinute float64
	priority  Priority
}{
	methodPost:                     {300, ForRest},   // "several hundred" for all conversations together
	methodAnswer:                   {300, ForAnswer}, // counts as a post, so both share a bucket
	"auth.test":                    {0, ForAnswer},
	"bookmarks.add":                {20, ForRest},
	"bookmarks.list":               {50, ForRest},
	"canvases.access.set":          {50, ForRest},
	"canvases.create":              {20, ForRest},
	"chat.delete":                  {50, ForRest},
	methodUpdate:                   {50, ForUpdate},
	methodHistory:                  {50, ForRoot},
	"conversations.archive":        {20, ForRest},
	"conversations.create":         {20, ForUpdate},
	"conversations.info":           {50, ForRest},
	"conversations.invite":         {50, ForUpdate},
	"conversations.join":           {50, ForRoot},
	"conversations.list":           {20, ForRoot},
	"conversations.open":           {50, ForAnswer},
	"conversations.replies":        {50, ForThread},
	"conversations.setTopic":       {20, ForRest},
	"files.completeUploadExternal": {50, ForAnswer},
	"usergroups.disable":           {20, ForRest},
	"usergroups.enable":            {20, ForRest},
	"usergroups.list":              {20, ForRest},
	"usergroups.users.update":      {20, ForRest},
	"users.info":                   {100, ForRest},
	"users.list":                   {20, ForRest},
	"users.lookupByEmail":          {50, ForRest},
	"views.open":                   {100, ForAnswer},
	"views.publish":                {100, ForRest},
	"views.push":                   {100, ForAnswer},
	"views.update":                 {100, ForAnswer},
}

const (
	// unclear429 is the pause after a 429 that doesn't say how long to wait.
	unclear429 = 10 * time.Second
	// longest429 is the longest pause that a 429 can cause, because the number may come from a machine other than
	// Slack.
	longest429 = 10 * time.Minute
	// failFastWait is how long a fail-fast call waits for its turn.
	failFastWait = time.Second
	// maxRetryAfter is the longest time after which a call that was turned away comes back, because calls ahead of it
	// may have given up in the meantime.
	maxRetryAfter = time.Minute
)

// A call describes one call of Slack's Web API to the queue.
type call struct {
	method   string
	channel  string   // for posts, because Slack limits each conversation separately
	priority Priority // 0: the method's priority
	// A fail-fast call comes from a job that can come back later. It is turned away if its turn is far off, so
	// that a busy conversation doesn't occupy the workers.
	failFast bool
	// A chosen call belongs to a drawing, which is chosen anew when there is room: after being turned away, the call
	// keeps no place in the queue.
	chosen bool
	// An immediate call is a further call of a drawing that was chosen for another call. It doesn't queue,
	// because the calls in the queue have room of their own.
	immediate bool
}
