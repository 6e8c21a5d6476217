package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/watchbill/watchbill/importer"
)

type importOnCallCmd struct {
	importFlags `embed:""`
	Token       string `env:"ONCALL_TOKEN" placeholder:"TOKEN" help:"A token of Grafana OnCall's API; better as a variable or in ONCALL_TOKEN_FILE."`
	URL         string `name:"url" env:"ONCALL_URL" placeholder:"URL" help:"Where Grafana OnCall is, as its settings say under API URL; /api/v1 may be left out."`
	GrafanaURL  string `name:"grafana-url" placeholder:"URL" help:"Of your Grafana, if the token is of a service account of it."`
}

// Run reads Grafana OnCall and writes our set-up file.
func (c *importOnCallCmd) Run(p process) error {
	if (c.From == "") == (c.Token == "") {
		return wrongUse{"give either a token (ONCALL_TOKEN) and --url, or --from with answers that were kept"}
	}
	if c.Token != "" && c.URL == "" {
		return wrongUse{"give --url: where Grafana OnCall is, such as https://oncall-prod-us-central-0.grafana.net/oncall"}
	}
	now := p.clock()
	ask := func() (map[string][]byte, error) { return c.fetch(p, now) }
	return c.carry(p, "Grafana OnCall", ask, func(files map[string][]byte) (importer.Result, error) {
		in, err := importer.ReadOnCall(files)
		return importer.FromOnCall(in, now), err
	})
}

// fetch requests everything that is imported.
func (c *importOnCallCmd) fetch(p process, now time.Time) (map[string][]byte, error) {
	header := http.Header{"Authorization": {c.Token}}
	if c.GrafanaURL != "" {
		header.Set("X-Grafana-URL", c.GrafanaURL)
	}
	base := strings.TrimSuffix(strings.TrimSuffix(c.URL, "/"), "/api/v1")
	api := vendorAPI{ctx: p.ctx, base: base, client: &http.Client{Timeout: time.Minute}, header: header}
	since, until := c.days(now)
	files := map[string][]byte{}
	var err error
	for _, name := range []string{
		"users", "teams", "schedules", "shift_swaps", "escalation_chains", "escalation_policies", "integrations", "routes", "personal_notification_rules", "user_groups",
	} {
		if files[name+".json"], err = api.following("/api/v1/"+name+"/", "results"); err != nil {
			return nil, err
		}
	}
	for _, id := range ids(files["schedules.json"], "results") {
		at := url.PathEscape(id)
		if files["on_call_shifts-"+id+".json"], err = api.following("/api/v1/on_call_shifts/?schedule_id="+at, "results"); err != nil {
			return nil, err
		}
		span := fmt.Sprintf("?start_date=%s&end_date=%s", since.Format(time.DateOnly), until.Format(time.DateOnly))
		if files["final_shifts-"+id+".json"], err = api.following("/api/v1/schedules/"+at+"/final_shifts"+span, "results"); err != nil {
			return nil, err
		}
	}
	files["asked.json"], err = json.Marshal(map[string]any{"asked": map[string]time.Time{"since": since, "until": until}})
	return files, err
}
