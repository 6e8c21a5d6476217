package bot

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// readSplit reads which alert to split off a storm.
func readSplit(f form, _ time.Time) ([]oncall.Act, fieldErrors) {
	alert, text := oncall.AlertID(f.number(view.BlockAlert)), strings.TrimSpace(f.text(view.BlockText))
	switch {
	case alert == 0 && text == "":
		return nil, fieldErrors{view.BlockAlert: "Choose an alert, or write its dedup key or title."}
	case alert != 0 && text != "":
		return nil, fieldErrors{view.BlockText: "Choose one or write one, not both."}
	}
	return []oncall.Act{{Do: oncall.ActSplit, Alert: alert, Text: text}}, nil
}

// alertsFile sends a file with all alerts of an incident to the person who pressed the button.
func (b *Bot) alertsFile(ctx context.Context, p press) (string, error) {
	id, known := readIncidentValue(p.value)
	if !known {
		return "", oncall.Refuse("This version of Watchbill doesn't know that button, and nothing was changed.")
	}
	picture, err := b.store.Picture(ctx, p.by(), id, b.clock())
	if err != nil {
		return "", fmt.Errorf("load incident %s: %w", id, err)
	}
	b.inBackground(ctx, "a list of alerts", func(ctx context.Context) error {
		file, err := b.fileOf(ctx, p.by(), picture)
		if err != nil {
			return err
		}
		return b.upload(ctx, p.user, file)
	})
	return view.AlertsFileComes(picture), nil
}

// fileOf creates a file with all alerts of an incident.
func (b *Bot) fileOf(ctx context.Context, by oncall.Actor, p oncall.Picture) (slack.UploadFileParameters, error) {
	id := p.Incident.ID
	f := view.NewAlertsFile(p.Integration)
	all, err := b.store.EachAlert(ctx, by, id, f.Add)
	if err == nil {
		err = f.Done()
	}
	if err != nil {
		return slack.UploadFileParameters{}, fmt.Errorf("write the alerts of incident %s: %w", id, err)
	}
	title := fmt.Sprintf("Alerts of incident %d", id)
	if all > store.MaxListed {
		title += fmt.Sprintf(", the first %d of %d", store.MaxListed, all)
	}
	return slack.UploadFileParameters{Filename: fmt.Sprintf("incident-%d.csv", id), Title: title, FileSize: f.Len(), Reader: f}, nil
}

// attachAlerts adds a file with all alerts to the thread of a finished storm. Failures are only logged, because
// the thread has the summary.
func (b *Bot) attachAlerts(ctx context.Context, root store.MessageRef, p oncall.Picture, events []oncall.Event) {
	over := false
	for _, e := range events {
		over = over || e.Kind == oncall.EventStormOver
	}
	if !over {
		return
	}
	b.inBackground(ctx, "the list of a storm's alerts", func(ctx context.Context) error {
		file, err := b.fileOf(ctx, oncall.ByTimer(), p)
		if err != nil {
			return err
		}
		file.Channel, file.ThreadTimestamp = root.Channel, root.TS
		_, err = b.slack.Upload(ctx, file)
		return err
	})
}
