// Package slackcall makes every call of Slack's Web API that Watchbill makes. It decides
// who goes first when calls have to wait, keeps below Slack's limits, waits as long as
// Slack asks for, and says of each call what became of it. It never repeats a call whose
// repetition could do harm: that is for the caller to know. What a message says is none
// of its business.
package slackcall

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/notify"
)

// Config is what a Client needs.
type Config struct {
	BotToken string // "xoxb-…"
	AppToken string // "xapp-…", with the scope connections:write
	APIURL   string // "" is Slack's own

	// UserToken is an admin's, "xoxp-…", for changing user groups where the workspace
	// doesn't let apps do that; "" is the bot's own.
	UserToken string

	Metrics prometheus.Registerer // nil: nothing is measured
}

// A Client calls Slack. Each method makes the call that its name says, when its turn
// comes; the error is an Error unless the comment says otherwise.
type Client struct {
	api     *slack.Client
	groups  *slack.Client // changes user groups
	http    *http.Client
	queue   *queue
	metrics *metrics
	aside   aside
	ids     ids
}

// New makes a Client and calls nobody yet.
func New(c Config) (*Client, error) {
	switch {
	case !strings.HasPrefix(c.BotToken, "xoxb-"):
		return nil, errors.New("the Slack bot token must begin with xoxb-")
	case !strings.HasPrefix(c.AppToken, "xapp-"):
		return nil, errors.New("the Slack app token must begin with xapp-")
	case c.UserToken != "" && !strings.HasPrefix(c.UserToken, "xoxp-"):
		return nil, errors.New("the Slack user token must begin with xoxp-")
	}
	m, err := newMetrics(c.Metrics)
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	web := httpClient()
	options := []slack.Option{slack.OptionAppLevelToken(c.AppToken), slack.OptionHTTPClient(web)}
	if c.APIURL != "" {
		// slack-go joins the method's name to it as it stands.
		options = append(options, slack.OptionAPIURL(strings.TrimSuffix(c.APIURL, "/")+"/"))
	}
	client := &Client{api: slack.New(c.BotToken, options...), http: web, queue: newQueue(), metrics: m}
	client.groups = client.api
	if c.UserToken != "" {
		client.groups = slack.New(c.UserToken, options...)
	}
	return client, nil
}

const (
	connectTimeout = 5 * time.Second
	keepAlive      = 15 * time.Second
	// maxEnvelope is far above what Slack sends.
	maxEnvelope = 8 << 20
	// writeBuffer holds every acknowledgement in one frame: Slack drops fragments.
	writeBuffer = 32 << 10
)

// Timeout is how long a call may take once its turn has come.
const Timeout = 10 * time.Second

func dialer() *net.Dialer { return &net.Dialer{Timeout: connectTimeout, KeepAlive: keepAlive} }

// httpClient has the limits that slack-go's default client lacks.
func httpClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = dialer().DialContext
	transport.TLSHandshakeTimeout = connectTimeout
	transport.MaxIdleConnsPerHost = 16
	return &http.Client{Transport: transport, Timeout: Timeout}
}

// Share tells how many instances live: the limits are the workspace's, and divided among them.
func (c *Client) Share(instances int) { c.queue.divide(instances) }

// Settle ends all waiting for a turn of what can be done later: we are stopping.
func (c *Client) Settle() { c.queue.settle() }

// Close closes the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// do makes one call when its turn comes. Nothing is ever repeated here: whether a
// repetition does harm depends on the call.
func (c *Client) do(ctx context.Context, k call, f func(context.Context) error) error {
	k.priority = cmp.Or(k.priority, methods[k.method].priority)
	if err := c.queue.wait(ctx, k); err != nil {
		c.metrics.count(k.method, Unsent)
		if _, ok := errors.AsType[*Error](err); !ok {
			err = &Error{Outcome: Unsent, cause: err}
		}
		return fmt.Errorf("%s: wait for its turn: %w", k.method, err)
	}
	timer := prometheus.NewTimer(c.metrics.latency.WithLabelValues(k.method))
	err := f(ctx)
	timer.ObserveDuration()
	if err == nil {
		c.metrics.count(k.method, notify.Accepted)
		return nil
	}
	failed := Classify(err)
	c.metrics.count(k.method, failed.Outcome)
	if failed.Outcome == notify.Throttled {
		c.queue.freeze(k, failed.retryAfter)
	}
	return fmt.Errorf("%s: %w", k.method, failed)
}
