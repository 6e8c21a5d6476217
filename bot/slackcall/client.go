// Package slackcall makes all of Watchbill's calls to Slack's Web API. It decides which call goes first when calls
// have to wait, stays below Slack's limits, waits as long as Slack asks, and reports the outcome of each call. It
// never repeats a call whose repetition could do harm, because only the caller can judge that. It doesn't look at the
// content of messages.
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
	APIURL   string // "" means Slack's own

	// UserToken is an admin's token, "xoxp-…", for changing user groups in workspaces where apps may not. If it is
	// "", the bot's token is used.
	UserToken string

	// Faster is how many times more calls may be made than Slack allows; 0 means as many. A Slack in a test has no
	// limits, and a test has no time.
	Faster float64

	Metrics prometheus.Registerer // nil: no metrics
}

// A Client calls Slack. Each method makes the call that it is named after when its turn comes; errors are of type
// Error unless the method's comment says otherwise.
type Client struct {
	api     *slack.Client
	groups  *slack.Client // changes user groups
	http    *http.Client
	queue   *queue
	metrics *metrics
	backoff channelBackoff
	ids     ids
}

// New makes a Client without calling Slack.
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
	client.queue.faster = cmp.Or(c.Faster, 1)
	client.groups = client.api
	if c.UserToken != "" {
		client.groups = slack.New(c.UserToken, options...)
	}
	return client, nil
}

const (
	connectTimeout = 5 * time.Second
	keepAlive      = 15 * time.Second
	// maxEnvelope is far above the size of Slack's envelopes.
	maxEnvelope = 8 << 20
	// writeBuffer holds every acknowledgement in one frame: Slack drops fragments.
	writeBuffer = 32 << 10
)

// Timeout is how long a call may take once its turn has come.
const Timeout = 10 * time.Second

func dialer() *net.Dialer { return &net.Dialer{Timeout: connectTimeout, KeepAlive: keepAlive} }

// httpClient has limits that slack-go's default client lacks.
func httpClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = dialer().DialContext
	transport.TLSHandshakeTimeout = connectTimeout
	transport.MaxIdleConnsPerHost = 16
	return &http.Client{Transport: transport, Timeout: Timeout}
}

// SetInstances sets how many instances are running, because they divide the workspace's limits among them.
func (c *Client) SetInstances(instances int) { c.queue.divide(instances) }

// StopWaiting makes all waiting calls that can be repeated later fail, because the process is stopping.
func (c *Client) StopWaiting() { c.queue.stopWaiting() }

// Close closes the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// do makes one call when its turn comes. It never repeats the call, because whether a repetition does harm depends on
// the call.
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
