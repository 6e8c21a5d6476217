package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/watchbill/watchbill/api/mcp"
)

type mcpCmd struct {
	URL     string `name:"url" env:"WATCHBILL_URL" placeholder:"URL" help:"Where Watchbill is, such as https://watchbill.example.com."`
	Key     string `env:"WATCHBILL_KEY" placeholder:"KEY" help:"An API key, whose scopes decide what the agent may do; better in a file, as others see the arguments of a process."`
	KeyFile string `env:"WATCHBILL_KEY_FILE" type:"path" placeholder:"FILE" help:"A file with the key in it."`
}

// Run speaks with the agent until it hangs up.
func (c *mcpCmd) Run(p process) error {
	var wrong wrongUse
	u, err := url.Parse(c.URL)
	if c.URL == "" || err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		wrong = append(wrong, "--url or WATCHBILL_URL is where Watchbill is, such as https://watchbill.example.com")
	}
	key := strings.TrimSpace(c.Key)
	if c.KeyFile != "" && key == "" {
		data, err := os.ReadFile(c.KeyFile)
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("--key-file: %v", errors.Unwrap(err)))
		}
		key = strings.TrimSpace(string(data))
	}
	if key == "" || strings.ContainsAny(key, " \t\r\n") {
		wrong = append(wrong, "give an API key by --key-file or WATCHBILL_KEY; watchbill apikey create prints one")
	}
	if wrong != nil {
		return wrong
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is one
	transport.ResponseHeaderTimeout = 30 * time.Second
	// What is written is JSON, from which the texts' control characters are gone: p.out would look for them again.
	out := p.out
	if w, ok := out.(printable); ok {
		out = w.to
	}
	return mcp.Serve(p.ctx, mcp.Remote{URL: strings.TrimSuffix(c.URL, "/"), Key: key, Version: version(), Via: transport}, os.Stdin, unclosed{out})
}

// unclosed is an output that stays open.
type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }
