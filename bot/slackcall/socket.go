package slackcall

import (
	"context"
	"net/http"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack/socketmode"
)

// A Socket is one Socket Mode connection. It shows of slack-go's client only what concerns the
// connection: that client can also make every call, past our queue.
type Socket struct{ client *socketmode.Client }

// Socket returns a connection that is not open yet. Its errors are slack-go's: Classify sorts them.
func (c *Client) Socket() *Socket {
	return &Socket{socketmode.New(c.api, socketmode.OptionReadLimit(maxEnvelope), socketmode.OptionDialer(&websocket.Dialer{
		NetDialContext:   dialer().DialContext,
		HandshakeTimeout: Timeout,
		WriteBufferSize:  writeBuffer,
		Proxy:            http.ProxyFromEnvironment,
	}))}
}

// Run connects, and reconnects, until ctx ends or trying again is useless.
func (s *Socket) Run(ctx context.Context) error { return s.client.RunContext(ctx) }

// Events are what arrives, and what becomes of the connection.
func (s *Socket) Events() <-chan socketmode.Event { return s.client.Events }

// Ack tells Slack that an envelope has arrived.
func (s *Socket) Ack(ctx context.Context, envelope string, payload any) error {
	return s.client.AckCtx(ctx, envelope, payload)
}
