package slackcall

import "time"

// A Priority says which call goes first when calls have to wait.
type Priority int

// The priorities, most urgent first.
const (
	ForCritical Priority = iota + 1 // a page of a critical incident
	ForPage                         // any other page
	ForAnswer                       // somebody has clicked or typed something and waits
	ForRoot                         // an open incident of a team that has few is posted or redrawn
	ForAlarm                        // nobody has answered, and notices
	ForCrowd                        // an open incident of a team that has very many is posted or redrawn
	ForUpdate                       // what is over is redrawn
	ForThread                       // replies in threads
	ForCount                        // only a count has changed
	ForRest
)

// The methods that have a name because they are special.
const (
	methodPost    = "chat.postMessage"
	methodUpdate  = "chat.update"
	methodAnswer  = "response_url"
	methodHistory = "conversations.history"
)

// methods are those that we call, with how many calls of each Slack allows in a minute and
// workspace, 0 if that is as good as unlimited, and with the priority of calls that have
// none of their own.
var methods = map[string]struct {
	perMinute float64
	priority  Priority
}{
	methodPost:                     {300, ForRest},   // "several hundred" for all conversations together
	methodAnswer:                   {300, ForAnswer}, // counts as a post: the two share a bucket
	"auth.test":                    {0, ForAnswer},
	"chat.delete":                  {50, ForRest},
	methodUpdate:                   {50, ForUpdate},
	methodHistory:                  {50, ForRoot},
	"conversations.info":           {50, ForRest},
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
	// unclear429 is the pause after a 429 that doesn't say how long.
	unclear429 = 10 * time.Second
	// longest429 is how long we believe a 429: something else than Slack may have answered, with any number.
	longest429 = 10 * time.Minute
	// hastyWait is how long a hasty call waits for its turn.
	hastyWait = time.Second
	// longestAway is the latest that a call that was turned away comes back: others may
	// have given up in the meantime.
	longestAway = time.Minute
)

// A call is one call of Slack's Web API as the queue sees it.
type call struct {
	method   string
	channel  string   // for posts: Slack limits each conversation by itself
	priority Priority // 0: that of its method
	// A hasty call comes from a job that can come back later. It is turned away if its
	// turn is far off, so that a busy conversation doesn't occupy the workers.
	hasty bool
	// A drawing is chosen anew when there is room: turned away, it keeps no place in the line.
	chosen bool
	// It is made beside what the drawing was chosen for, and doesn't stand in line: those behind it have room.
	beside bool
}
