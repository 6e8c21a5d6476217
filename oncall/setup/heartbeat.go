package setup

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// A Heartbeat expects regular pings to an integration. Durations are such as "30s", "2h" or "7d".
type Heartbeat struct {
	Name       string          `json:"name,omitempty"`
	Every      string          `json:"every,omitempty"`
	Grace      string          `json:"grace,omitempty"`       // default: half of every, at most an hour
	MaxRuntime string          `json:"max_runtime,omitempty"` // default: the grace
	Severity   oncall.Severity `json:"severity,omitempty"`    // default: high
}

// Spec parses what is expected of the heartbeat.
func (h Heartbeat) Spec() (s oncall.HeartbeatSpec, err error) {
	s.Severity = cmp.Or(h.Severity, oncall.High)
	if !slices.Contains(oncall.Severities(), s.Severity) {
		return s, fmt.Errorf("heartbeat %q: severity is %q; it may be critical, high, medium or low", h.Name, h.Severity)
	}
	if err := oncall.CheckHeartbeatName(h.Name); err != nil {
		return s, err
	}
	for _, part := range []struct {
		name, text string
		to         *oncall.Seconds
	}{{"every", h.Every, &s.Every}, {"grace", h.Grace, &s.Grace}, {"max_runtime", h.MaxRuntime, &s.MaxRuntime}} {
		if part.text == "" {
			continue
		}
		d, err := parseDays(part.text)
		if err != nil || d < 0 || d%time.Second != 0 {
			return s, fmt.Errorf("heartbeat %q: %s is %q, which is not a duration such as \"30s\", \"2h\" or \"7d\"", h.Name, part.name, part.text)
		}
		*part.to = oncall.Seconds(d / time.Second)
	}
	if h.Every == "" {
		return s, fmt.Errorf("heartbeat %q needs every: how often it pings, such as \"1d\"", h.Name)
	}
	if h.Grace == "" {
		s.Grace = usualGrace(s.Every)
	}
	if err := s.CheckHeartbeat(); err != nil {
		return s, fmt.Errorf("heartbeat %q: %w", h.Name, err)
	}
	return s, nil
}

func usualGrace(every oncall.Seconds) oncall.Seconds { return min(every/2, oncall.HeartbeatGrace) }

// parseDays is time.ParseDuration with days.
func parseDays(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(text)
}

func writeDays(s oncall.Seconds) string {
	const day = 24 * 3600
	if s > 0 && s%day == 0 {
		return strconv.FormatInt(int64(s/day), 10) + "d"
	}
	return writeSpan(s)
}

// writeHeartbeat writes what Spec reads.
func writeHeartbeat(h oncall.Heartbeat) Heartbeat {
	out := Heartbeat{Name: h.Name, Every: writeDays(h.Every)}
	if h.Grace != usualGrace(h.Every) {
		out.Grace = writeDays(h.Grace)
	}
	if h.MaxRuntime != 0 {
		out.MaxRuntime = writeDays(h.MaxRuntime)
	}
	if h.Severity != oncall.High {
		out.Severity = h.Severity
	}
	return out
}

func (c *checker) heartbeats(in Integration) {
	if len(in.Heartbeats) > oncall.MaxHeartbeats {
		c.say("integration %q has %d heartbeats; it may have %d", in.Name, len(in.Heartbeats), oncall.MaxHeartbeats)
	}
	var names []string
	for _, h := range in.Heartbeats {
		if _, err := h.Spec(); err != nil {
			c.say("integration %q: %v", in.Name, err)
		}
		if slices.Contains(names, h.Name) {
			c.say("integration %q: heartbeat %q is there twice", in.Name, h.Name)
		}
		names = append(names, h.Name)
	}
}
