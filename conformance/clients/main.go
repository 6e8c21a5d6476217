// Command clients talks to Watchbill with the client libraries of PagerDuty and Opsgenie, with nothing changed
// but the address.
//
//	clients HOST:PORT KEY APIKEY
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/PagerDuty/go-pagerduty"
	"github.com/opsgenie/opsgenie-go-sdk-v2/alert"
	"github.com/opsgenie/opsgenie-go-sdk-v2/client"
	"github.com/opsgenie/opsgenie-go-sdk-v2/heartbeat"
)

var failures int

func check(name string, ok bool, detail ...any) {
	if ok {
		fmt.Println("ok  ", name)
		return
	}
	failures++
	fmt.Println("FAIL", name, detail)
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: clients HOST:PORT KEY APIKEY")
		os.Exit(2)
	}
	pagerDuty(context.Background(), os.Args[1], os.Args[2])
	opsgenie(context.Background(), os.Args[1], os.Args[2])
	pagerDutyREST(context.Background(), "http://"+os.Args[1]+"/pagerduty", os.Args[3])
	opsgenieREST(context.Background(), os.Args[1], os.Args[3])
	if failures > 0 {
		os.Exit(1)
	}
}

func pagerDuty(ctx context.Context, address, key string) {
	c := pagerduty.NewClient("", pagerduty.WithV2EventsAPIEndpoint("http://"+address))
	send := func(e pagerduty.V2Event) (*pagerduty.V2EventResponse, error) {
		return c.ManageEventWithContext(ctx, &e)
	}
	payload := &pagerduty.V2Payload{Summary: "Disk of db-1 is full", Source: "db-1", Severity: "critical", Details: map[string]any{"used": 97}}
	made, err := send(pagerduty.V2Event{RoutingKey: key, Action: "trigger", Payload: payload})
	check("go-pagerduty triggers, and is told a key", err == nil && made.DedupKey != "" && made.Status == "success", made, err)
	for _, action := range []string{"acknowledge", "resolve"} {
		done, err := send(pagerduty.V2Event{RoutingKey: key, Action: action, DedupKey: made.DedupKey})
		check("go-pagerduty can "+action, err == nil && done.DedupKey == made.DedupKey, done, err)
	}
	_, err = send(pagerduty.V2Event{RoutingKey: "0000", Action: "resolve", DedupKey: "x"})
	check("go-pagerduty understands a refusal", err != nil, err)
	changed, err := c.CreateChangeEventWithContext(ctx, pagerduty.ChangeEvent{
		RoutingKey: key, Payload: pagerduty.ChangeEventPayload{Summary: "Deploy 42", Source: "ci"},
	})
	check("go-pagerduty tells of a change", err == nil && changed.Status == "success", changed, err)
}

func opsgenie(ctx context.Context, address, key string) {
	config := &client.Config{ApiKey: key, OpsGenieAPIURL: client.ApiUrl(address)}
	c, err := alert.NewClient(config)
	check("opsgenie-go-sdk-v2 starts", err == nil, err)
	const alias = "db-1/disk//var" // it is not encoded in addresses
	created, err := c.Create(ctx, &alert.CreateAlertRequest{Message: "Disk is full", Alias: alias, Priority: alert.P1})
	check("opsgenie-go-sdk-v2 creates", err == nil, err)
	if err != nil {
		return
	}
	state, err := created.RetrieveStatus(ctx)
	check("opsgenie-go-sdk-v2 reads what became of it", err == nil && state.IsSuccess && state.Alias == alias && state.AlertID != "", state, err)
	if err != nil {
		return
	}
	_, err = c.Acknowledge(ctx, &alert.AcknowledgeAlertRequest{IdentifierType: alert.ALERTID, IdentifierValue: state.AlertID, User: "ann"})
	check("opsgenie-go-sdk-v2 acknowledges by id", err == nil, err)
	_, err = c.AddNote(ctx, &alert.AddNoteRequest{IdentifierType: alert.ALIAS, IdentifierValue: alias, Note: "on it"})
	check("opsgenie-go-sdk-v2 adds a note", err == nil, err)
	shown, err := c.Get(ctx, &alert.GetAlertRequest{IdentifierType: alert.ALIAS, IdentifierValue: alias})
	check("opsgenie-go-sdk-v2 reads the alert", err == nil && shown.Status == "open" && shown.Alias == alias, shown, err)
	closed, err := c.Close(ctx, &alert.CloseAlertRequest{IdentifierType: alert.ALIAS, IdentifierValue: alias})
	check("opsgenie-go-sdk-v2 closes", err == nil, err)
	if err == nil {
		state, err = closed.RetrieveStatus(ctx)
		check("opsgenie-go-sdk-v2 reads that it is closed", err == nil && state.IsSuccess, state, err)
	}
	h, err := heartbeat.NewClient(config)
	check("opsgenie-go-sdk-v2 starts for heartbeats", err == nil, err)
	_, err = h.Ping(ctx, "nightly")
	check("opsgenie-go-sdk-v2 pings", err == nil, err)
}
