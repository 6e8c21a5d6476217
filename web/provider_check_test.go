package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/web"
)

// The doctor says what is wrong with the provider before anybody has tried to sign in.
func TestProviderCheckSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.registered = "https://watchbill.example.com/sign-in/return"
	for _, c := range []struct {
		name   string
		change func(*web.ProviderConfig)
		away   bool
		good   int
		want   string
	}{
		{"good", nil, false, 2, "with the redirect URL https://watchbill.example.com/sign-in/return"},
		{"another issuer", func(c *web.ProviderConfig) { c.Issuer += "/" }, false, 0, "can't be used"},
		{"away", nil, true, 0, "can't be used"},
		{"another address", func(c *web.ProviderConfig) { c.Address = "https://other.example.com" }, false, 1, "answers 400"},
		{"another client", func(c *web.ProviderConfig) { c.ClientID = "other" }, false, 1, "unauthorized_client"},
	} {
		config := web.ProviderConfig{
			Issuer: p.server.URL, ClientID: "watchbill", ClientSecret: "hush", Address: "https://watchbill.example.com", Clock: time.Now, Transport: http.DefaultTransport,
		}
		if c.change != nil {
			c.change(&config)
		}
		p.away.Store(c.away)
		good, last := 0, ""
		for _, f := range web.NewProvider(config).Check(t.Context()) {
			if f.OK {
				good++
			} else if f.Remedy == "" {
				t.Errorf("%s: %q has no remedy, want one", c.name, f.Text)
			}
			last = f.Text
			if strings.Contains(f.Text+f.Remedy, "hush") {
				t.Errorf("%s tells the secret", c.name)
			}
		}
		if good != c.good || !strings.Contains(last, c.want) {
			t.Errorf("%s: %d good, then %q; want %d, %q", c.name, good, last, c.good, c.want)
		}
	}
}
