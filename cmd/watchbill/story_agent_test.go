package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/rogpeppe/go-internal/testscript"
)

// agent HOW TOOL [JSON]: an agent with the key of apikey uses a tool, by "watchbill mcp" on its machine ("local") or by
// HTTP ("http"), and the answer is printed.
func (s *story) agent(ts *testscript.TestScript, refused bool, args []string) {
	arguments := map[string]any{}
	if len(args) > 2 {
		ts.Check(json.Unmarshal([]byte(args[2]), &arguments))
	}
	text, failed := s.useTool(ts, args[0], args[1], arguments)
	_, err := fmt.Fprintln(ts.Stdout(), text)
	ts.Check(err)
	if failed != refused {
		ts.Fatalf("refused: %v, want %v: %s", failed, refused, text)
	}
	s.settle(ts)
}

func (s *story) useTool(ts *testscript.TestScript, how, tool string, arguments map[string]any) (text string, refused bool) {
	ctx := s.t.Context()
	var to mcp.Transport = &mcp.StreamableClientTransport{
		Endpoint: "http://" + s.addr + "/mcp", HTTPClient: &http.Client{Transport: withKey(ts.Getenv("APIKEY"))}, MaxRetries: -1,
	}
	if how == "local" {
		c := exec.CommandContext(ctx, asCommand(s.t, "watchbill"), "mcp")
		c.Env = append(os.Environ(), "WATCHBILL_URL=http://"+s.addr, "WATCHBILL_KEY="+ts.Getenv("APIKEY"))
		to = &mcp.CommandTransport{Command: c}
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "robin", Version: "1"}, nil).Connect(ctx, to, nil)
	if err != nil {
		return err.Error(), true
	}
	defer session.Close()
	res, err := session.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: arguments})
	if err != nil {
		return err.Error(), true
	}
	for _, c := range res.Content {
		if part, ok := c.(*mcp.TextContent); ok {
			text += part.Text
		}
	}
	return text, res.IsError
}

// withKey sends an API key along.
type withKey string

func (k withKey) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(k))
	return http.DefaultTransport.RoundTrip(r)
}
