package slackcall

import (
	"time"

	"golang.org/x/time/rate"
)

// A Priority says which call goes first when calls have to wait.
type Priority int

// The priorities, most urgent first.
const (
	ForCritical Priority = iota + 1 // a direct message that wakes somebody for a critical incident
	ForPage                         // any other that wakes somebody
	ForAnswer                       // somebody has clicked and waits
	ForRoot                         // an incident's first message in its channel
	ForAlarm                        // that nobody has answered, and news of an incident that nobody has taken
	ForUpdate
	ForThread
	ForRest
)

// The methods that have a name because they are special.
const (
	methodPost   = "chat.postMessage"
	methodAnswer = "response_url"
)

// methods are those that we call: how many calls Slack allows of each in a minute and
// workspace, 0 if they are as good as unlimited, and how urgent a call is that doesn't
// say so itself.
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
	// longestAway is how late a call that was turned away comes back at the latest. The
	// line may have become shorter in the meantime.
	longestAway = time.Minute
)

// A call is one call of Slack's Web API as the queue sees it.
type call struct {
	method   string
	channel  string   // for posts: Slack limits each conversation by itself
	priority Priority // 0: that of its method
	// hasty calls come from a job that can come back later: one whose turn is far away
	// is turned away, so that a busy conversation doesn't keep the workers from others.
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
