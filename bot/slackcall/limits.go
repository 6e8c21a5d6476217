package slackcall

import (
	"time"

	"golang.org/x/time/rate"
)

// A Priority says which call goes first when calls have to wait.
type Priority int

// The priorities, most urgent first.
const (
	ForCritical Priority = iota + 1 // a page of a critical incident
	ForPage                         // any other page
	ForAnswer                       // somebody has clicked or typed something and waits
	ForRoot                         // an incident's first message in its channel
	ForAlarm                        // nobody has answered, or an incident that nobody has taken has news
	ForUpdate                       // a message is redrawn
	ForThread                       // replies in threads, and notices
	ForRest
)

// The methods that have a name because they are special.
const (
	methodPost   = "chat.postMessage"
	methodAnswer = "response_url"
)

// methods are those that we call, with how many calls of each Slack allows in a minute and
// workspace, 0 if that is as good as unlimited, and with the priority of calls that have
// none of their own.
var methods = map[string]struct {
	perMinute float64
	priority  Priority
}{
	methodPost:                     {300, ForRest}, // "several hundred" for all conversations together
	methodAnswer:                   {300, ForAnswer},
	"auth.test":                    {0, ForAnswer},
	"chat.delete":                  {50, ForRest},
	"chat.update":                  {50, ForUpdate},
	"conversations.history":        {50, ForRoot},
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
	"users.lookupByEmail":          {50, ForRest},
	"views.open":                   {100, ForAnswer},
	"views.publish":                {100, ForRest},
	"views.push":                   {100, ForAnswer},
	"views.update":                 {100, ForAnswer},
}

const (
	// unclear429 is the pause after a 429 that doesn't say how long.
	unclear429 = 10 * time.Second
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
}

// methodBucket lets through at most 80 % of the limit in any minute: the burst first,
// the rest evenly.
func methodBucket(method string) *rate.Limiter {
	n := methods[method].perMinute
	if n == 0 {
		return rate.NewLimiter(10, 20)
	}
	burst := max(n/5, min(n/2, 10))
	return rate.NewLimiter(rate.Limit((0.8*n-burst)/60), int(burst))
}

// channelBucket is for posts in one conversation: above one a second Slack may accept a
// message and not show it.
func channelBucket() *rate.Limiter { return rate.NewLimiter(1, 3) }
