package slackcall

import (
	"context"
	"net/http"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack/socketmode"
)

// A Socket is one Socket Mode connection. It exposes only the connection of slack-go's client, because that client
// can also make API calls that bypass our queue.
type Socket struct{ client *socketmode.Client }

// Socket returns a connection that is not open yet. Its errors are slack-go's, for Classify.
func (c *Client) Socket() *Socket {
	return &Socket{socketmode.New(c.api, socketmode.OptionReadLimit(maxEnvelope), socketmode.OptionDialer(&websocket.Dialer{
		NetDialContext:   dialer().DialContext,
		HandshakeTimeout: Timeout,
		WriteBufferSize:  writeBuffer,
		Proxy:            http.ProxyFromEnvironment,
	}))}
}

// Run connects, and reconnects, until ctx ends or a further attempt is useless.
func (s *Socket) Run(ctx context.Context) error { return s.client.RunContext(ctx) }

// Events returns incoming envelopes and changes of the connection's state.
func (s *Socket) Events() <-chan socketmode.Event { return s.client.Events }

// Ack tells Slack that an envelope has arrived.
func (s *Socket) Ack(ctx context.Context, envelope string, payload any) error {
	return s.client.AckCtx(ctx, envelope, payload)
}
