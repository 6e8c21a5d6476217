package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// An APIKey is a key of the REST API, as shown to the people who manage it.
type APIKey struct {
	oncall.APIKey
	Team     string
	Used     *time.Time
	OldHint  string
	OldUntil *time.Time
}

// line describes a key and what it may be used for.
func (k APIKey) line(now time.Time, zone *time.Location) string {
	whose := "the installation's"
	switch {
	case k.Owner != "":
		whose = mention(k.Owner) + "'s own"
	case k.TeamID != 0:
		whose = "of the team " + Name(k.Team)
	}
	var scopes []string
	for _, s := range k.Scopes {
		scopes = append(scopes, string(s))
	}
	text := fmt.Sprintf("*%s*", Name(k.Name))
	if k.Hint != "" {
		text += " …" + Name(k.Hint)
	}
	text += ", " + whose + ", may " + List(scopes)
	switch {
	case k.ExpiresAt == nil:
		text += ", does not expire"
	case k.Expired(now):
		text += ", *has expired*"
	default:
		text += ", ends " + Time(*k.ExpiresAt, zone)
	}
	return text
}

// APIKeys lists the keys that a person manages.
func APIKeys(all []APIKey, now time.Time, zone *time.Location) string {
	if len(all) == 0 {
		return "There is no API key that you manage. `/oncall apikey create deploy read,page` makes one of your own."
	}
	lines := []string{}
	for _, k := range all {
		line := "• " + k.line(now, zone)
		if k.Used == nil {
			line += "; never used"
		} else {
			line += "; last used " + Time(*k.Used, zone)
		}
		if k.OldUntil != nil && now.Before(*k.OldUntil) {
			line += fmt.Sprintf("; the old key, …%s, is good until %s", Name(k.OldHint), Time(*k.OldUntil, zone))
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// APIKeyForm asks for confirmation before a key is created, rotated or revoked. meta says which.
func APIKeyForm(do string, k APIKey, meta string, zone *time.Location) slack.ModalViewRequest {
	about := section(k.line(time.Time{}, zone))
	switch do {
	case "rotate":
		return dialog(ModalAPIKey, "Rotate an API key", "Rotate", meta, about,
			section("The new key is shown once, to you. The one in force is good for a day beside it."),
			optional(checkField(BlockKeyEnds, "If somebody else has the key", "Until the program has the new key, it is refused.",
				option{KeyEndsNow, "End the old key at once"})))
	case "revoke":
		return dialog(ModalAPIKey, "Revoke an API key", "Revoke", meta, about, section("It is refused at once, and can't come back."))
	}
	return dialog(ModalAPIKey, "Make an API key", "Make it", meta, about,
		section("It is shown once, to you, when you send this. A key of your own never may more than you."))
}

// A MadeAPIKey is the result of creating, rotating or revoking a key.
type MadeAPIKey struct {
	Name, Key string // an empty key was revoked
	OldHint   string // hint of the replaced key
	OldEnds   time.Time
	AtOnce    bool
}

// NewAPIKey shows a new key, once.
func NewAPIKey(k MadeAPIKey, zone *time.Location) slack.ModalViewRequest {
	if k.Key == "" {
		return readOnly("API key", section(fmt.Sprintf("*%s* is refused from now on.", Name(k.Name))))
	}
	blocks := []slack.Block{
		section(fmt.Sprintf("The API key *%s*. It is shown this once; close this only when you have it:\n```%s```", Name(k.Name), Name(k.Key))),
		section("Programs send it as\n```Authorization: Bearer KEY```"),
	}
	switch {
	case k.OldHint == "":
	case k.AtOnce:
		blocks = append(blocks, section(fmt.Sprintf("The old key, …%s, is refused from now on.", Name(k.OldHint))))
	default:
		blocks = append(blocks, section(fmt.Sprintf("The old key, …%s, is good until %s, then it is refused.", Name(k.OldHint), Time(k.OldEnds, zone))))
	}
	return readOnly("The API key", blocks...)
}
