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

type importOpsgenieCmd struct {
	importFlags `embed:""`
	Token       string `env:"OPSGENIE_TOKEN" placeholder:"KEY" help:"An API key with the right to read the configuration; better as a variable or in OPSGENIE_TOKEN_FILE."`
	URL         string `name:"url" default:"https://api.opsgenie.com" placeholder:"URL" help:"Where the API is; https://api.eu.opsgenie.com for accounts in Europe."`
}

// Run reads Opsgenie, or what its backup tool wrote, and writes our set-up file.
func (c *importOpsgenieCmd) Run(p process) error {
	if (c.From == "") == (c.Token == "") {
		return wrongUse{"give either an API key (OPSGENIE_TOKEN) or --from with answers that were kept, or a folder of Opsgenie's backup tool"}
	}
	now := p.clock()
	ask := func() (map[string][]byte, error) { return c.fetch(p, now) }
	return c.carry(p, "Opsgenie", ask, func(files map[string][]byte) (importer.Result, error) {
		in, err := importer.ReadOpsgenie(files)
		return importer.FromOpsgenie(in, now), err
	})
}

// fetch requests everything that is imported.
func (c *importOpsgenieCmd) fetch(p process, now time.Time) (map[string][]byte, error) {
	api := vendorAPI{ctx: p.ctx, base: strings.TrimSuffix(c.URL, "/"), client: &http.Client{Timeout: time.Minute}, header: http.Header{"Authorization": {"GenieKey " + c.Token}}}
	since, until := c.days(now)
	files := map[string][]byte{}
	var err error
	for name, path := range map[string]string{
		"users": "/v2/users", "teams": "/v2/teams", "schedules": "/v2/schedules?expand=rotation", "escalations": "/v2/escalations", "integrations": "/v2/integrations",
	} {
		if files[name+".json"], err = api.following(path, "data"); err != nil {
			return nil, err
		}
	}
	each := func(of, what, path string) {
		for _, id := range ids(files[of+".json"], "data") {
			answer, there, failed := api.get(fmt.Sprintf(path, url.PathEscape(id)))
			if failed != nil && err == nil {
				err = failed
			}
			if there {
				files[what+"-"+id+".json"] = answer
			}
		}
	}
	each("teams", "team", "/v2/teams/%s")
	each("teams", "routing", "/v2/teams/%s/routing-rules")
	each("schedules", "overrides", "/v2/schedules/%s/overrides")
	each("schedules", "timeline", fmt.Sprintf("/v2/schedules/%%s/timeline?interval=%d&intervalUnit=days&date=%s", c.Days, strings.ReplaceAll(url.QueryEscape(since.Format(time.RFC3339)), "%", "%%")))
	if err != nil {
		return nil, err
	}
	if answer, there, err := api.get("/v2/heartbeats"); err == nil && there { // not in every plan
		files["heartbeats.json"] = answer
	}
	files["asked.json"], err = json.Marshal(map[string]any{"asked": map[string]time.Time{"since": since, "until": until}})
	return files, err
}
