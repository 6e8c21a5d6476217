package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"

	"github.com/watchbill/watchbill/oncall"
)

// maxSecretFile is how much of a single setting's file is read.
const maxSecretFile = 64 << 10

// settingSources supplies settings that are neither flags nor environment variables: NAME_FILE
// names a file with the value, as Docker and Kubernetes mount secrets; WATCHBILL_CONFIG is a YAML
// file with any settings. A flag wins over the variable, the variable over its file, and all of
// them over the configuration file.
type settingSources struct {
	getenv func(string) string
	file   map[string]string // the configuration file, by variable
	name   string
	known  []string               // the variables of all settings
	err    error                  // why the configuration file is unusable
	found  map[*kong.Value]string // where the values that we supplied came from
}

// Validate is part of kong's interface.
func (*settingSources) Validate(*kong.Application) error { return nil }

// read reads the configuration file.
func (s *settingSources) read(app *kong.Application) error {
	s.found = map[*kong.Value]string{}
	s.known = variables(app.Node)
	if s.name = s.getenv("WATCHBILL_CONFIG"); s.name == "" {
		return nil
	}
	data, err := os.ReadFile(s.name)
	if err != nil {
		return fmt.Errorf("WATCHBILL_CONFIG: %w", err)
	}
	if s.file, err = readConfig(data, s.known); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return nil
}

// Resolve returns the value of a setting, or nil if we have none.
func (s *settingSources) Resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if s.found == nil {
		s.err = s.read(ctx.Model)
	}
	if s.err != nil {
		return nil, s.err
	}
	if len(flag.Envs) == 0 || s.getenv(flag.Envs[0]) != "" {
		return nil, nil //nolint:nilnil // kong's word for "I don't know"
	}
	env := flag.Envs[0]
	if !slices.Contains(s.known, env+"_FILE") {
		file, from := s.getenv(env+"_FILE"), env+"_FILE"
		if file == "" {
			file, from = s.file[env+"_FILE"], s.name
		}
		if file != "" {
			value, err := readSetting(file)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", from, err)
			}
			s.found[flag.Value] = from + ": " + file
			return value, nil
		}
	}
	value, ok := s.file[env]
	if !ok {
		return nil, nil //nolint:nilnil // as above
	}
	s.found[flag.Value] = s.name
	return value, nil
}

// readSetting reads a file with a single setting, without the final line break.
func readSetting(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	switch {
	case err != nil:
		return "", err
	case len(data) > maxSecretFile:
		return "", fmt.Errorf("%s is larger than 64 KB", name)
	}
	return strings.TrimSpace(string(data)), nil
}

// variables returns the environment variables of all settings of a command and those below it.
func variables(n *kong.Node) (envs []string) {
	for _, f := range n.Flags {
		envs = append(envs, f.Envs...)
	}
	for _, below := range n.Children {
		envs = append(envs, variables(below)...)
	}
	slices.Sort(envs)
	return slices.Compact(envs)
}

// configKey returns a setting's key in the configuration file: listen for WATCHBILL_LISTEN,
// database_url for DATABASE_URL.
func configKey(env string) string {
	return strings.ToLower(strings.TrimPrefix(env, "WATCHBILL_"))
}

// readConfig maps a configuration file to variables. An error names every unknown key.
func readConfig(data []byte, envs []string) (map[string]string, error) {
	var read map[string]any
	if err := yaml.NewDecoder(bytes.NewReader(data)).Decode(&read); err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.New(mappingMeant(yaml.FormatError(err, false, false))) // without the source text, which holds secrets
	}
	known := map[string]string{}
	for _, env := range envs {
		known[configKey(env)] = env
		known[configKey(env)+"_file"] = env + "_FILE"
	}
	values, wrong := map[string]string{}, []string{}
	for key, value := range read {
		env, ok := known[key]
		if !ok {
			wrong = append(wrong, noSuchSetting(key, known))
			continue
		}
		text, ok := configText(value)
		if !ok {
			wrong = append(wrong, fmt.Sprintf("%s: takes one value, or a list of texts", key))
			continue
		}
		values[env] = text
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return nil, errors.New(strings.Join(wrong, "; "))
	}
	return values, nil
}

// mappingMeant says in other words than YAML's what a file consists of.
func mappingMeant(message string) string {
	return strings.Replace(message, "where mapping is expected", "where mapping is expected: write `name: value`", 1)
}

func noSuchSetting(key string, known map[string]string) string {
	var names []string
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	if near := oncall.Nearest(key, names); near != "" {
		return fmt.Sprintf("there is no setting %q; %q?", key, near)
	}
	return fmt.Sprintf("there is no setting %q", key)
}

// configText converts a YAML value to the text of a variable, where lists are separated by commas.
func configText(value any) (string, bool) {
	switch v := value.(type) {
	case nil:
		return "", true
	case string, bool, int, int64, uint64, float64:
		return fmt.Sprint(v), true
	case []any:
		var all []string
		for _, one := range v {
			text, ok := configText(one)
			if _, nested := one.([]any); !ok || nested {
				return "", false
			}
			all = append(all, text)
		}
		return strings.Join(all, ","), true
	}
	return "", false
}
