package slacksim

import (
	"fmt"

	"github.com/goccy/go-yaml"
)

// A Manifest is the part of an app's manifest.yaml that the simulator enforces: no other command is known,
// no other event is sent, no other scope is granted.
type Manifest struct {
	Features struct {
		Commands  []Command  `yaml:"slash_commands"`
		Shortcuts []Shortcut `yaml:"shortcuts"`
	} `yaml:"features"`
	OAuth struct {
		Scopes struct {
			Bot []string `yaml:"bot"`
		} `yaml:"scopes"`
	} `yaml:"oauth_config"`
	Settings struct {
		Events struct {
			Bot []string `yaml:"bot_events"`
		} `yaml:"event_subscriptions"`
	} `yaml:"settings"`
}

// A Command is a slash command.
type Command struct {
	Name        string `json:"name" yaml:"command"`
	Hint        string `json:"hint" yaml:"usage_hint"`
	Description string `json:"description" yaml:"description"`
}

// A Shortcut is an entry of a menu.
type Shortcut struct {
	Name       string `json:"name" yaml:"name"`
	CallbackID string `json:"callback_id" yaml:"callback_id"`
	Type       string `json:"type" yaml:"type"` // "message": in each message's menu; "global"
}

// ParseManifest reads a manifest.yaml.
func ParseManifest(text string) (Manifest, error) {
	var m Manifest
	if err := yaml.Unmarshal([]byte(text), &m); err != nil {
		return Manifest{}, fmt.Errorf("read the manifest: %w", err)
	}
	return m, nil
}

// MustManifest parses a manifest.yaml that is part of the program. It panics if the manifest is invalid.
func MustManifest(text string) Manifest {
	m, err := ParseManifest(text)
	if err != nil {
		panic(err)
	}
	return m
}
