package bot

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// editMapping opens the form of an integration's mapping on what came last, in the place of the integration's form.
func (b *Bot) editMapping(ctx context.Context, edit setupEdit, p press) error {
	edit.meta.Name = p.value
	_, owner, err := edit.routed()
	if err != nil {
		return err
	}
	found, err := b.store.Payloads(ctx, edit.by(), store.PayloadFilter{Integration: owner.Integration, Most: 1})
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return oncall.Refuse("Nothing has come to *%s* in the last week. Let its monitor send something, so that a mapping can be tried on it.", view.Name(edit.meta.Name))
	}
	t, err := b.tryout(ctx, edit.request, found[0].ID)
	if err != nil {
		return err
	}
	return b.updateModal(ctx, p.view, edit.mappingForm(t).Draw(edit.location))
}

// saveMapping saves the mapping whose form is open.
func (b *Bot) saveMapping(ctx context.Context, p press) (string, error) {
	return b.setMapping(ctx, p, func(was *oncall.Mapping) (*oncall.Mapping, error) {
		m, wrong := readMapping(formOf(p.view), was)
		for _, why := range wrong {
			return nil, oncall.Refuse("%s", view.Foreign(why, maxErrorLength))
		}
		return &m, nil
	})
}

// removeMapping lets what comes be recognised again.
func (b *Bot) removeMapping(ctx context.Context, p press) (string, error) {
	return b.setMapping(ctx, p, func(*oncall.Mapping) (*oncall.Mapping, error) { return nil, nil })
}

func (b *Bot) setMapping(ctx context.Context, p press, made func(was *oncall.Mapping) (*oncall.Mapping, error)) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	id, _ := strconv.ParseInt(p.view.PrivateMetadata, 10, 64)
	t, err := b.tryout(ctx, r, oncall.PayloadID(id))
	if err != nil {
		return "", err
	}
	m, err := made(t.Setting.Integration.Mapping)
	if err != nil {
		return "", err
	}
	doc, err := b.store.SetupFor(ctx, r.by(), r.now)
	if err != nil {
		return "", err
	}
	part, known := doc.Find(setup.IntegrationPart, t.Name)
	if !known {
		return "", setupRefusal(oncall.ErrNotFound)
	}
	is := *part.Integration
	is.Mapping, part.Integration = m, &is
	if m != nil {
		is.Format = "" // the mapping reads all that comes
	}
	done, err := b.store.EditSetup(ctx, p.by(), store.SetupEdit{Part: part, Name: is.Name, Formats: intake.Names()}, r.now)
	if err != nil {
		return "", setupRefusal(err)
	}
	message := savedSetup("Saved: what comes to *"+view.Name(is.Name)+"* is read by this mapping.", done)
	if m == nil {
		message = savedSetup("Saved: what comes to *"+view.Name(is.Name)+"* is recognised again.", done)
	}
	b.drawTeamBelow(ctx, submission{user: p.user, view: p.view}, is.Team, message)
	return "", b.updateModal(ctx, p.view, view.TextModal(message))
}

// readHeartbeats reads heartbeats, one a line, such as "backup: every 1d, grace 2h, severity low".
func readHeartbeats(text string) (all []setup.Heartbeat, problem string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, rest, _ := strings.Cut(line, ":")
		h := setup.Heartbeat{Name: strings.TrimSpace(name)}
		for part := range strings.SplitSeq(rest, ",") {
			word, value, _ := strings.Cut(strings.TrimSpace(part), " ")
			value = strings.TrimSpace(value)
			switch strings.ToLower(word) {
			case "every":
				h.Every = value
			case "grace":
				h.Grace = value
			case "runs":
				h.MaxRuntime = value
			case "severity":
				h.Severity = oncall.Severity(strings.ToLower(value))
			default:
				return nil, fmt.Sprintf("%q isn't understood: write a line such as backup: every 1d, grace 2h, runs 30m, severity low", line)
			}
		}
		all = append(all, h)
	}
	return all, ""
}
