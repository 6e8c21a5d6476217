package setup

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// Grouping parses how the integration groups alerts; nil if it doesn't.
func (in Integration) Grouping() (*oncall.Grouping, error) {
	if in.Group == nil {
		return nil, nil //nolint:nilnil // it is optional
	}
	g := &oncall.Grouping{By: in.Group.By}
	if n := len(g.By); n == 0 || n > maxGroupLabels {
		return nil, fmt.Errorf("group names %d labels in \"by\"; it may be 1 to %d, such as [cluster, service]", n, maxGroupLabels)
	}
	for i, name := range g.By {
		if strings.TrimSpace(name) == "" {
			return nil, fmt.Errorf("group has a label without a name in \"by\"")
		}
		if slices.Contains(g.By[:i], name) {
			return nil, fmt.Errorf("group names the label %q twice", name)
		}
	}
	var err error
	if g.Window, err = parseSpan("group's window", in.Group.Window, oncall.GroupWindow.Duration(), time.Second); err != nil {
		return nil, err
	}
	if g.Window.Duration() > maxGroupWindow {
		return nil, fmt.Errorf("group's window is %q; it may be a day at most", in.Group.Window)
	}
	return g, nil
}

// Limits of a grouping.
const (
	maxGroupLabels = 10
	maxGroupWindow = 24 * time.Hour
)

// writeGroup writes what Grouping reads.
func writeGroup(g *oncall.Grouping) *Group {
	if g == nil {
		return nil
	}
	return &Group{By: g.By, Window: writeSpan(g.Window)}
}
