package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

type integrationPayloadsCmd struct {
	databaseFlags `embed:""`
	Name          string `arg:"" help:"The integration."`
	ID            int64  `arg:"" optional:"" help:"The number of one payload, to print all of it."`
	Limit         int    `default:"20" help:"At most so many, the newest."`
	Body          bool   `help:"With a number: print the body alone, to pass it on."`
	JSON          bool   `name:"json" help:"One JSON object a line."`
}

// Run prints payloads, newest first.
func (c *integrationPayloadsCmd) Run(p process) error {
	if c.Limit < 1 {
		return wrongUse{"--limit is at least 1"}
	}
	if c.Body && c.ID == 0 {
		return wrongUse{"--body needs the number of a payload"}
	}
	db, err := c.open(p)
	if err != nil {
		return err
	}
	defer db.Close()
	in, err := db.Integration(p.ctx, c.Name)
	if err != nil {
		return noIntegration(p.ctx, db, c.Name, err)
	}
	found, err := db.Payloads(p.ctx, p.operator(), store.PayloadFilter{Integration: in.ID, ID: oncall.PayloadID(c.ID), Most: c.Limit})
	if err != nil {
		return err
	}
	switch {
	case len(found) == 0 && c.ID != 0:
		return wrongUse{fmt.Sprintf("there is no payload %d of %q; the newest %d are kept, for 7 days at most", c.ID, c.Name, oncall.PayloadsKept)}
	case len(found) == 0:
		fmt.Fprintf(p.errOut, "Nothing that %s has sent is kept.\n", notify.OneLine(c.Name))
	}
	for _, kept := range found {
		if err := c.print(p, kept); err != nil {
			return err
		}
	}
	return nil
}

// A payloadLine is a payload as JSON. Fields are only ever added.
type payloadLine struct {
	ID           oncall.PayloadID    `json:"id"`
	At           time.Time           `json:"at"`
	Method       string              `json:"method"`
	Path         string              `json:"path"`
	Query        string              `json:"query,omitempty"`
	Headers      map[string]string   `json:"headers,omitempty"`
	RecognisedAs oncall.Format       `json:"taken_for,omitempty"`
	Trouble      string              `json:"trouble,omitempty"`
	Signals      int                 `json:"signals"`
	Incidents    []oncall.IncidentID `json:"incidents,omitempty"`
	Size         int64               `json:"size,omitempty"`
	Cut          bool                `json:"cut,omitempty"`
	Body         string              `json:"body"`
}

func (c *integrationPayloadsCmd) print(p process, kept store.KeptPayload) error {
	switch {
	case c.Body:
		if _, err := p.out.Write(kept.Body); err != nil {
			return fmt.Errorf("print a payload: %w", err)
		}
	case c.JSON:
		line := payloadLine{
			ID: kept.ID, At: kept.At, Method: kept.Method, Path: kept.Path, Query: kept.Query, Headers: kept.Headers, RecognisedAs: kept.RecognisedAs,
			Trouble: kept.Trouble, Signals: kept.Signals, Incidents: kept.Incidents, Size: kept.Size, Cut: kept.Cut, Body: string(kept.Body),
		}
		if err := json.NewEncoder(p.out).Encode(line); err != nil {
			return fmt.Errorf("print a payload: %w", err)
		}
	case c.ID != 0:
		fmt.Fprintf(p.out, "%s\n\n%s\n", payloadSentence(kept), intake.Transcript(kept.Payload))
	default:
		fmt.Fprintln(p.out, payloadSentence(kept))
	}
	return nil
}

// payloadSentence describes how a payload was understood, in one line.
func payloadSentence(kept store.KeptPayload) string {
	text := fmt.Sprintf("%d  %s  %d bytes  ", kept.ID, stamp(kept.At), len(kept.Body))
	if kept.Size > int64(len(kept.Body)) {
		text = fmt.Sprintf("%d  %s  the first %d of %d bytes  ", kept.ID, stamp(kept.At), len(kept.Body), kept.Size)
	}
	if kept.RecognisedAs == "" {
		text += "not understood"
	} else {
		text += fmt.Sprintf("taken for %s, %d signals", intake.FormatNamed(kept.RecognisedAs).Title, kept.Signals)
	}
	if kept.Trouble != "" {
		text += ": " + kept.Trouble
	}
	if len(kept.Incidents) > 0 {
		text += "; incident " + strings.Trim(strings.Join(strings.Fields(fmt.Sprint(kept.Incidents)), ", "), "[]")
	}
	return notify.OneLine(text)
}
