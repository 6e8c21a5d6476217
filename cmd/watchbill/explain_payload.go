package main

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// signalsFromPayload reads the signals of a stored payload: "demo/12", or only its number.
func (c *explainCmd) signalsFromPayload(p process, db *store.System, ex *explainer) ([]oncall.Signal, error) {
	name, number := "", c.Payload
	if at := strings.LastIndex(c.Payload, "/"); at >= 0 {
		name, number = c.Payload[:at], c.Payload[at+1:]
	}
	id, err := strconv.ParseInt(strings.TrimPrefix(number, "#"), 10, 64)
	if err != nil || id < 1 {
		return nil, wrongUse{fmt.Sprintf("--payload: %q is no payload; it is written NAME/ID, such as demo/12, and -f reads a file", c.Payload)}
	}
	if name != "" && c.Integration != "" && name != c.Integration {
		return nil, wrongUse{fmt.Sprintf("--payload is of %q and --integration %q", name, c.Integration)}
	}
	if c.Integration = cmp.Or(name, c.Integration); c.Integration != "" {
		if ex.integration, err = c.find(ex.dir.Integrations); err != nil {
			return nil, err
		}
	}
	found, err := db.Payloads(p.ctx, p.operator(), store.PayloadFilter{Integration: ex.integration.ID, ID: oncall.PayloadID(id), Most: 1})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, wrongUse{fmt.Sprintf("--payload: there is no %q any more; the newest %d of an integration are kept, for 7 days at most", c.Payload, oncall.PayloadsKept)}
	}
	ex.integration, _ = ex.dir.Integration(found[0].Integration)
	signals, ok := intake.SignalsOf(p.ctx, ex.integration, found[0].Payload)
	if !ok {
		return nil, wrongUse{fmt.Sprintf("--payload: %s can't be read again: only its beginning was kept, or it was refused when it came", c.Payload)}
	}
	ex.line("Payload      %s", payloadSentence(found[0]))
	if len(signals) > 0 {
		ex.from = signals[0].Format
	}
	return signals, nil
}
