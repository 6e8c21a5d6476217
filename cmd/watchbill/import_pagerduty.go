package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/importer"
)

type importPagerDutyCmd struct {
	importFlags `embed:""`
	Token       string `env:"PAGERDUTY_TOKEN" placeholder:"TOKEN" help:"A read-only API key of the account; better as a variable or in PAGERDUTY_TOKEN_FILE, as others see the arguments of a process."`
	URL         string `name:"url" default:"https://api.pagerduty.com" placeholder:"URL" help:"Where the API is; https://api.eu.pagerduty.com for accounts in Europe."`
}

// Run reads PagerDuty and writes our set-up file. It changes nothing in either system.
func (c *importPagerDutyCmd) Run(p process) error {
	if (c.From == "") == (c.Token == "") {
		return wrongUse{"give either a token (PAGERDUTY_TOKEN) or --from with answers that were kept"}
	}
	now := p.clock()
	ask := func() (map[string][]byte, error) { return c.fetch(p, now) }
	return c.carry(p, "PagerDuty", ask, func(files map[string][]byte) (importer.Result, error) {
		in, err := importer.ReadPagerDuty(files)
		return importer.FromPagerDuty(in, now), err
	})
}

// fetch requests everything that is imported.
func (c *importPagerDutyCmd) fetch(p process, now time.Time) (map[string][]byte, error) {
	since, until := c.days(now)
	api := vendorAPI{ctx: p.ctx, base: strings.TrimSuffix(c.URL, "/"), client: &http.Client{Timeout: time.Minute}, header: http.Header{
		"Accept": {"application/vnd.pagerduty+json;version=2"}, "Authorization": {"Token token=" + c.Token},
	}}
	files := map[string][]byte{}
	for name, path := range map[string]string{
		"users": "/users?include[]=contact_methods&include[]=notification_rules", "teams": "/teams", "escalation_policies": "/escalation_policies",
		"services": "/services?include[]=integrations", "maintenance_windows": "/maintenance_windows?filter=open", "schedules": "/schedules",
	} {
		answer, err := api.list(path, name)
		if err != nil {
			return nil, err
		}
		files[name+".json"] = answer
	}
	for _, id := range ids(files["teams.json"], "teams") {
		answer, err := api.list("/teams/"+url.PathEscape(id)+"/members", "members")
		if err != nil {
			return nil, err
		}
		files["members-"+id+".json"] = answer
	}
	span := fmt.Sprintf("?since=%s&until=%s", url.QueryEscape(since.Format(time.RFC3339)), url.QueryEscape(until.Format(time.RFC3339)))
	for _, id := range ids(files["schedules.json"], "schedules") {
		for name, path := range map[string]string{"schedule-": "/schedules/" + url.PathEscape(id) + span, "overrides-": "/schedules/" + url.PathEscape(id) + "/overrides" + span} {
			answer, there, err := api.get(path)
			if err != nil {
				return nil, err
			}
			if there {
				files[name+id+".json"] = answer
			}
		}
	}
	if err := c.shiftBased(api, files, span); err != nil {
		return nil, err
	}
	files["asked.json"], _ = json.Marshal(map[string]any{"asked": map[string]time.Time{"since": since, "until": until}})
	return files, nil
}

// ids returns the ids of a list's items.
func ids(answer []byte, key string) (out []string) {
	var lists map[string][]struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(answer, &lists) != nil {
		return nil
	}
	for _, item := range lists[key] {
		out = append(out, item.ID)
	}
	return out
}

// shiftBased requests the shift-based schedules, which only the newer API has. Accounts without any
// may lack it.
func (c *importPagerDutyCmd) shiftBased(api vendorAPI, files map[string][]byte, span string) error {
	list, err := api.list("/v3/schedules", "schedules")
	if err != nil {
		return nil //nolint:nilerr // the account has none
	}
	files["shiftbased.json"] = unlisted(list, ids(files["schedules.json"], "schedules"))
	for _, id := range ids(files["shiftbased.json"], "shift_based") {
		at := "/v3/schedules/" + url.PathEscape(id)
		for name, path := range map[string]string{
			"schedule-": at + span + "&include[]=final_schedule", "overrides-": at + "/overrides" + span, "custom_shifts-": at + "/custom_shifts" + span,
		} {
			answer, there, err := api.get(path)
			if err != nil {
				return err
			}
			if there {
				files[name+id+".json"] = answer
			}
		}
	}
	return nil
}

// unlisted returns the schedules that the older API doesn't list.
func unlisted(answer []byte, known []string) []byte {
	var list struct {
		Schedules []struct {
			ID      string `json:"id"`
			Summary string `json:"summary"`
		} `json:"schedules"`
	}
	_ = json.Unmarshal(answer, &list)
	out := []map[string]string{}
	for _, s := range list.Schedules {
		if !slices.Contains(known, s.ID) {
			out = append(out, map[string]string{"id": s.ID, "summary": s.Summary})
		}
	}
	text, _ := json.Marshal(map[string]any{"shift_based": out})
	return text
}
