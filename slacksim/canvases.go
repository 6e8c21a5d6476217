package slacksim

// A Canvas is a document in Slack. Only the bot sees it until it is shared.
type Canvas struct {
	ID       string
	Title    string
	Markdown string
	Channels []string // with whose members it is shared
}

// SetFreePlan says whether the workspace is on a free plan, which has no canvases but those in a channel's tab.
func (s *Sim) SetFreePlan(free bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.freePlan = free
}

// Canvases returns all canvases, oldest first.
func (s *Sim) Canvases() []Canvas {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Canvas
	for _, c := range s.canvases {
		out = append(out, *c)
	}
	return out
}

func (s *Sim) canvasesCreate(a args) (obj, error) {
	if s.freePlan && a.str("channel_id") == "" {
		return nil, refuse("free_teams_cannot_create_non_tabbed_canvases")
	}
	c := &Canvas{ID: s.id("F"), Title: a.str("title")}
	if id := a.str("channel_id"); id != "" {
		if _, err := s.visible(id); err != nil {
			return nil, err
		}
		c.Channels = []string{id}
	}
	if content, ok := a["document_content"].(map[string]any); ok {
		c.Markdown, _ = content["markdown"].(string)
		if content["type"] != "markdown" {
			return nil, refuse("canvas_creation_failed")
		}
	}
	s.canvases = append(s.canvases, c)
	return obj{"canvas_id": c.ID}, nil
}

func (s *Sim) canvasesAccessSet(a args) (obj, error) {
	for _, c := range s.canvases {
		if c.ID != a.str("canvas_id") {
			continue
		}
		for _, id := range a.list("channel_ids") {
			if _, err := s.visible(id); err != nil {
				return nil, err
			}
			c.Channels = append(c.Channels, id)
		}
		return nil, nil
	}
	return nil, refuse("canvas_not_found")
}
