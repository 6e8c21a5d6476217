package bot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// payloadsShown is the maximum number of payloads in an answer.
const payloadsShown = 5

// payloadsAsked removes "payloads" from words about an integration, and reports whether it was there.
func payloadsAsked(words []string) (rest []string, asked bool) {
	for i, w := range words {
		if oneOf([]string{w}, 0, "payloads", "payload", "raw") {
			return append(append([]string{}, words[:i]...), words[i+1:]...), true
		}
	}
	return words, false
}

// triesPayload reports whether the words are the number of a payload to try.
func triesPayload(words []string) bool {
	return len(words) == 2 && isNumber(words[0]) && oneOf(words, 1, "try", "explain", "test", "rules", "routes")
}

// payloads answers `/oncall payloads NAME [ID]` with what a monitor has sent, unchanged.
func (b *Bot) payloads(ctx context.Context, r request) (view.Drawing, error) {
	if r.asker.Via == oncall.ViaChannel {
		return view.Drawing{}, oncall.Refuse("What monitors send is shown only to whoever asks, where nobody else reads it: type `/oncall payloads NAME`.")
	}
	all, err := b.store.Integrations(ctx, r.by())
	if err != nil {
		return view.Drawing{}, fmt.Errorf("list integrations: %w", err)
	}
	in, n := namedIntegration(all, r.words)
	rest := r.words[n:]
	switch {
	case n == 0 && len(all) == 1 && (len(r.words) == 0 || len(r.words) == 1 && isNumber(r.words[0])):
		in = all[0]
	case n == 0 && len(r.words) == 0:
		return view.Drawing{}, oncall.Refuse("Say of which integration, as in `/oncall payloads payments-prometheus`. `/oncall integrations` lists them.")
	case n == 0 || len(rest) > 1 && !triesPayload(rest) || len(rest) == 1 && !isNumber(rest[0]):
		return view.Drawing{}, r.noIntegration(all, strings.Join(r.words, " "))
	}
	if triesPayload(rest) {
		id, _ := strconv.ParseInt(strings.TrimPrefix(rest[0], "#"), 10, 64)
		return view.Drawing{}, b.showTried(ctx, r, oncall.PayloadID(id), r.trigger)
	}
	if len(rest) == 1 {
		id, _ := strconv.ParseInt(strings.TrimPrefix(rest[0], "#"), 10, 64)
		return b.sendPayload(ctx, r, in, oncall.PayloadID(id))
	}
	found, err := b.store.Payloads(ctx, r.by(), store.PayloadFilter{Integration: in.ID, Most: payloadsShown, Begin: view.PayloadBegins})
	if err != nil {
		return view.Drawing{}, err
	}
	shown := make([]view.Payload, len(found))
	for i, p := range found {
		shown[i] = shownPayload(p)
	}
	return view.Payloads(in.Name, shown, r.location), nil
}

// shownPayload converts a payload for the view.
func shownPayload(p store.KeptPayload) view.Payload {
	v := view.Payload{
		ID: p.ID, At: p.At, Request: p.Method + " " + p.Path, Trouble: p.Trouble, Signals: p.Signals, Incidents: p.Incidents,
		Body: string(p.Body), Size: p.Size,
	}
	if p.Query != "" {
		v.Request += "?" + p.Query
	}
	if p.RecognisedAs != "" {
		v.Monitor = intake.FormatNamed(p.RecognisedAs).Title
	}
	return v
}

// sendPayload sends a payload as a file.
func (b *Bot) sendPayload(ctx context.Context, r request, in store.IntegrationState, id oncall.PayloadID) (view.Drawing, error) {
	found, err := b.store.Payloads(ctx, r.by(), store.PayloadFilter{Integration: in.ID, ID: id})
	switch {
	case err != nil:
		return view.Drawing{}, err
	case len(found) == 0:
		return view.Drawing{}, oncall.Refuse("There is no payload %d of %q any more. `/oncall payloads %[2]s` shows the newest.", id, view.Name(in.Name))
	}
	p := found[0]
	b.inBackground(ctx, "a payload", func(ctx context.Context) error {
		text := intake.Transcript(p.Payload)
		err := b.upload(ctx, r.user.ID, slack.UploadFileParameters{
			Filename: fmt.Sprintf("payload-%d.txt", id), Title: fmt.Sprintf("Payload %d of %s", id, in.Name),
			FileSize: len(text), Reader: bytes.NewReader(text),
		})
		if err == nil {
			return nil
		}
		_, postErr := b.post(ctx, slackcall.Message{Channel: string(r.user.ID), Priority: slackcall.ForRest}, view.NoPayloadFile(in.Name, id, whyNoPicture(err)))
		return errors.Join(err, postErr)
	})
	return view.PayloadFileComes(in.Name, id), nil
}
