package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/watchbill/watchbill/slacksim"
)

// attached PLACE NAME: waits until the place or a thread in it has a new file with that name, and prints it.
func (s *story) attached(ts *testscript.TestScript, _ bool, args []string) {
	var file slacksim.File
	s.until(ts, "the file "+args[1], func() bool {
		for _, m := range s.sim.Messages(args[0]) {
			for _, id := range m.Files {
				if f, found := s.sim.File(id); found && f.Name == args[1] && !s.attachments[id] {
					file = f
				}
			}
		}
		return file.ID != ""
	})
	if s.attachments == nil {
		s.attachments = map[string]bool{}
	}
	s.attachments[file.ID] = true
	fmt.Fprint(ts.Stdout(), string(file.Content))
}

// canvas: prints the title and the text of the newest canvas.
func (s *story) canvas(ts *testscript.TestScript, _ bool, _ []string) {
	for _, c := range s.sim.Canvases()[max(0, len(s.sim.Canvases())-1):] {
		fmt.Fprintf(ts.Stdout(), "%s\n%s\n", c.Title, c.Markdown)
	}
}

// plan free|paid: from now on the Slack workspace is on that plan.
func (s *story) plan(_ *testscript.TestScript, _ bool, args []string) {
	s.sim.SetFreePlan(args[0] == "free")
}

// channel WHAT PLACE [NAME]: somebody creates, renames, archives, unarchives or deletes a channel in
// Slack. `channel call` renames it while Watchbill isn't running; `channel private` makes one that only
// Ann sees, and `channel invite` lets the app in. `channel members` and `channel bookmarks` print who and what is in one,
// and `channel archived` waits until it is archived.
func (s *story) channel(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: channel WHAT PLACE [NAME]: got %v, want at least 2", len(args))
	}
	what, place := args[0], args[1]
	everybody := []string{"U0ANN", "U0BO", "U0CY", "U0DI"}
	switch what {
	case "create":
		s.sim.AddChannel(slacksim.Channel{Name: place, Members: everybody})
	case "scratch": // with an id that can be written down
		s.sim.AddChannel(slacksim.Channel{ID: "C0SCRATCH", Name: place, Members: []string{"U0ANN", slacksim.BotUserID}})
	case "private":
		s.sim.AddChannel(slacksim.Channel{Name: place, Private: true, Members: []string{"U0ANN"}})
	case "invite":
		c, _ := s.sim.FindChannel(place)
		c.Members = append(c.Members, slacksim.BotUserID)
		s.sim.AddChannel(c)
	case "rename":
		before, _ := s.sim.FindChannel(place)
		known := func() string {
			directory, err := s.app.store.Directory(s.t.Context())
			ts.Check(err)
			return directory.ChannelCalled(before.ID)
		}
		s.until(ts, "Watchbill to know the channel", func() bool { return known() != "" })
		ts.Check(s.sim.RenameChannel(place, args[2]))
		s.until(ts, "Watchbill to hear of its name", func() bool { return known() == strings.TrimPrefix(args[2], "#") })
	case "call": // the same, while Watchbill isn't running
		ts.Check(s.sim.RenameChannel(place, args[2]))
	case "archive":
		ts.Check(s.sim.ArchiveChannel(place, true))
	case "unarchive":
		ts.Check(s.sim.ArchiveChannel(place, false))
	case "members":
		c, _ := s.sim.FindChannel(place)
		slices.Sort(c.Members)
		for _, id := range c.Members {
			if id != slacksim.BotUserID {
				fmt.Fprintln(ts.Stdout(), "@"+strings.ToLower(strings.TrimPrefix(id, "U0")))
			}
		}
	case "bookmarks":
		for _, b := range s.sim.Bookmarks(place) {
			fmt.Fprintln(ts.Stdout(), b.Title, b.Link)
		}
	case "archived":
		s.until(ts, "the channel to be archived", func() bool {
			c, _ := s.sim.FindChannel(place)
			return c.Archived
		})
	case "delete":
		ts.Check(s.sim.DeleteChannel(place))
	default:
		ts.Fatalf("a channel can't be %q", what)
	}
	if s.app != nil {
		s.settle(ts)
	}
}
