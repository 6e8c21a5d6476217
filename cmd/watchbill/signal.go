package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/watchbill/watchbill/notify"
)

type signalCmd struct {
	Title    string            `arg:"" optional:"" help:"What is wrong, in one line."`
	Status   string            `placeholder:"WORD" help:"trigger, acknowledge or resolve, or the monitor's own word, such as OK or CRITICAL; trigger where it is left out."`
	Severity string            `placeholder:"WORD" help:"critical, high, medium, low, or the monitor's own word."`
	DedupKey string            `name:"dedup-key" placeholder:"KEY" help:"Which alert it is, such as db-1/disk; the title where it is left out."`
	Service  string            `placeholder:"NAME" help:"The service that it is about: the label of that name."`
	Label    map[string]string `mapsep:"none" placeholder:"NAME=VALUE" help:"A label; may be repeated."`
	Link     string            `placeholder:"URL" help:"Where to look."`
	Body     string            `placeholder:"TEXT" help:"More text; - reads it from standard input."`

	URL     string        `name:"url" env:"WATCHBILL_SIGNAL_URL" placeholder:"URL" help:"Where Watchbill is, such as https://watchbill.example.com."`
	Key     string        `env:"WATCHBILL_SIGNAL_KEY" placeholder:"KEY" help:"The integration's key; better in a file, as others see the arguments of a process."`
	KeyFile string        `env:"WATCHBILL_SIGNAL_KEY_FILE" type:"path" placeholder:"FILE" help:"A file with the key in it."`
	Queue   string        `env:"WATCHBILL_SIGNAL_QUEUE" type:"path" placeholder:"DIR" help:"Where signals wait while Watchbill can't be reached; a directory of its own on a disk."`
	Timeout time.Duration `default:"10s" help:"How long Watchbill may take to answer."`
	Flush   bool          `help:"Only send what waits."`
}

// statesOnly are states of Nagios that imply no severity, where its macro stands for both.
var statesOnly = []string{"OK", "UP", "DOWN", "UNREACHABLE", "UNKNOWN"}

// maxSignalText is how many bytes of the text are sent.
const maxSignalText = 32 << 10

// Run adds the signal to the queue on disk, and sends the queue in order. It succeeds if Watchbill
// has the signal, or if it is safe on disk.
func (c *signalCmd) Run(p process) error {
	to, err := c.target()
	if err != nil {
		return err
	}
	q, err := openSignalQueue(cmp.Or(c.Queue, defaultQueue(p.getenv)))
	if err != nil {
		return fmt.Errorf("the signal was not sent, as the queue can't be used: %w", err)
	}
	if c.Flush {
		if c.Title != "" || c.DedupKey != "" {
			return wrongUse{"--flush only sends what waits"}
		}
	} else {
		body, err := c.payload(p.clock())
		if err != nil {
			return err
		}
		if err := q.add(queuedSignal{To: to, Body: body}); err != nil {
			return fmt.Errorf("the signal was not sent: %w", err)
		}
	}
	left, err := q.flush(p.ctx, sender{timeout: c.Timeout, now: to})
	var refused refusedError
	switch {
	case errors.As(err, &refused):
		return fmt.Errorf("%w; it is kept in %s", err, notify.OneLine(q.dir))
	case err != nil && c.Flush:
		return fmt.Errorf("%d signals wait in %s: %w", left, notify.OneLine(q.dir), err)
	case err != nil:
		fmt.Fprintf(p.errOut, "watchbill: %v; %d signals wait in %s and are sent with the next one, or by watchbill signal --flush\n",
			err, left, notify.OneLine(q.dir))
	}
	return nil
}

// target returns where to send to.
func (c *signalCmd) target() (signalTarget, error) {
	var wrong wrongUse
	u, err := url.Parse(c.URL)
	if c.URL == "" || err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		wrong = append(wrong, "--url or WATCHBILL_SIGNAL_URL is where Watchbill is, such as https://watchbill.example.com")
	}
	key := strings.TrimSpace(c.Key)
	if c.KeyFile != "" && key == "" {
		data, err := os.ReadFile(c.KeyFile)
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("--key-file: %v", errors.Unwrap(err)))
		}
		key = strings.TrimSpace(string(data))
	}
	if key == "" || strings.ContainsAny(key, " \t\r\n") {
		wrong = append(wrong, "--key-file, or WATCHBILL_SIGNAL_KEY, is the integration's key")
	}
	if c.Timeout <= 0 {
		wrong = append(wrong, "--timeout is how long Watchbill may take, such as 10s")
	}
	if wrong != nil {
		return signalTarget{}, wrong
	}
	return signalTarget{Address: strings.TrimSuffix(c.URL, "/") + "/v1/signals", Key: key}, nil
}

// payload returns the signal as generic JSON.
func (c *signalCmd) payload(now time.Time) (json.RawMessage, error) {
	if c.Title == "" && c.DedupKey == "" {
		return nil, wrongUse{"say what is wrong: a title, or at least --dedup-key"}
	}
	text := c.Body
	if text == "-" {
		data, err := io.ReadAll(io.LimitReader(os.Stdin, maxSignalText))
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		text = string(data)
	}
	for len(text) > maxSignalText || !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text[:min(len(text), maxSignalText)], "")
	}
	severity := c.Severity
	if slices.Contains(statesOnly, strings.ToUpper(severity)) {
		severity = ""
	}
	labels := map[string]string{}
	maps.Copy(labels, c.Label)
	if c.Service != "" {
		labels["service"] = c.Service
	}
	out := map[string]any{"sent_at": now.UTC().Format(time.RFC3339)}
	for name, value := range map[string]string{
		"title": c.Title, "status": c.Status, "severity": severity, "dedup_key": c.DedupKey, "link": c.Link, "body": text,
	} {
		if value != "" {
			out[name] = value
		}
	}
	if len(labels) > 0 {
		out["labels"] = labels
	}
	return json.Marshal(out)
}

// defaultQueue returns the default directory of the queue: one per user, on disk.
func defaultQueue(getenv func(string) string) string {
	if dir := getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "watchbill", "signals")
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "watchbill", "signals")
	}
	return filepath.Join("/var/tmp", "watchbill-signals-"+strconv.Itoa(os.Getuid()))
}
