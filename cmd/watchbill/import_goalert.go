package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/watchbill/watchbill/importer"
)

type importGoAlertCmd struct {
	importFlags `embed:""`
	Token       string `env:"GOALERT_TOKEN" placeholder:"TOKEN" help:"An API key of GoAlert for the query of --print-query; better as a variable or in GOALERT_TOKEN_FILE."`
	URL         string `name:"url" env:"GOALERT_URL" placeholder:"URL" help:"Where GoAlert is."`
	PrintQuery  bool   `help:"Print the query for which the API key is to be made, and end."`
}

// Run reads GoAlert and writes our set-up file.
func (c *importGoAlertCmd) Run(p process) error {
	if c.PrintQuery {
		_, err := io.WriteString(p.out, importer.GoAlertQuery)
		return err
	}
	if (c.From == "") == (c.Token == "") {
		return wrongUse{"give either an API key (GOALERT_TOKEN) and --url, or --from with answers that were kept; --print-query prints the query for which the key is to be made"}
	}
	if c.Token != "" && c.URL == "" {
		return wrongUse{"give --url: where GoAlert is, such as https://goalert.example.com"}
	}
	now := p.clock()
	ask := func() (map[string][]byte, error) { return c.fetch(p, now) }
	return c.carry(p, "GoAlert", ask, func(files map[string][]byte) (importer.Result, error) {
		in, err := importer.ReadGoAlert(files)
		return importer.FromGoAlert(in, now), err
	})
}

// fetch repeats the one query until every list is complete.
func (c *importGoAlertCmd) fetch(p process, now time.Time) (map[string][]byte, error) {
	api := vendorAPI{ctx: p.ctx, base: strings.TrimSuffix(c.URL, "/"), client: &http.Client{Timeout: time.Minute}, header: http.Header{
		"Authorization": {"Bearer " + c.Token}, "Content-Type": {"application/json"},
	}}
	since, until := c.days(now)
	files := map[string][]byte{}
	variables := map[string]any{"since": since, "until": until}
	for n := range maxPages {
		body, err := json.Marshal(map[string]any{"query": importer.GoAlertQuery, "operationName": "Watchbill", "variables": variables})
		if err != nil {
			return nil, err
		}
		answer, there, err := api.send(http.MethodPost, "/api/graphql", body)
		if err != nil || !there {
			return nil, errors.Join(err, notThere(there, "/api/graphql"))
		}
		files[fmt.Sprintf("answer-%03d.json", n+1)] = answer
		more, err := nextPages(answer, variables)
		if err != nil {
			return nil, err
		}
		if !more {
			files["asked.json"], err = json.Marshal(map[string]any{"asked": map[string]time.Time{"since": since, "until": until}})
			return files, err
		}
	}
	return nil, errors.New("POST /api/graphql: it has no end")
}

// nextPages sets the variables to each list's next page; false if all are complete.
func nextPages(answer []byte, variables map[string]any) (more bool, err error) {
	var page struct {
		Data map[string]struct {
			PageInfo struct {
				End  string `json:"endCursor"`
				More bool   `json:"hasNextPage"`
			} `json:"pageInfo"`
		} `json:"data"`
		Errors []struct {
			Message string `json:"message"`
		} `json:"errors"`
	}
	if err := json.NewDecoder(bytes.NewReader(answer)).Decode(&page); err != nil {
		return false, fmt.Errorf("POST /api/graphql: %w", err)
	}
	if len(page.Errors) > 0 {
		return false, fmt.Errorf("POST /api/graphql: %.200s", page.Errors[0].Message)
	}
	for list, variable := range importer.GoAlertLists {
		info := page.Data[list].PageInfo
		if info.More && info.End != variables[variable] {
			more = true
		}
		if info.End != "" {
			variables[variable] = info.End
		}
	}
	return more, nil
}
