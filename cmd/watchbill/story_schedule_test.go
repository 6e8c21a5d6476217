package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	_ "image/png" // the format of pictures
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// tap PERSON BUTTON [OPTION]: presses a button in the open form, or on the home tab if none is open, or chooses that option
// of a menu. BUTTON is its action and, if there are several, "=" and its value. It prints the form that is open then, or the home tab.
func (s *story) tap(ts *testscript.TestScript, _ bool, args []string) {
	user := person(args[0])
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	click := s.sim.ChooseView
	if len(s.sim.Views(user)) == 0 {
		click = s.sim.ChooseHome
	}
	var option any
	if len(args) > 2 {
		option = args[2]
	}
	shown := func() string { return s.sim.ViewText(user) + s.sim.HomeText(user) }
	before := shown()
	result, err := click(ctx, user, args[1], option)
	ts.Check(err)
	if !result.Acked {
		ts.Fatalf("the click was not acknowledged: %s", result.Error)
	}
	s.until(ts, "the form to change", func() bool { return shown() != before })
	if len(s.sim.Views(user)) == 0 {
		io.WriteString(ts.Stdout(), s.sim.HomeText(user))
		return
	}
	io.WriteString(ts.Stdout(), s.sim.ViewText(user))
}

// close PERSON [back]: closes the open form without submitting it, or only goes back to the one under it.
func (s *story) closeForm(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_, err := s.sim.CloseView(ctx, person(args[0]), len(args) == 1)
	ts.Check(err)
}

// home PERSON: opens the home tab and prints it.
func (s *story) home(ts *testscript.TestScript, _ bool, args []string) {
	user := person(args[0])
	drawn := func() (n int) {
		for _, c := range s.sim.Calls() {
			if c.Method == "views.publish" {
				n++
			}
		}
		return n
	}
	before := drawn()
	ts.Check(s.sim.OpenHome(user))
	s.until(ts, "the home tab", func() bool { return drawn() > before })
	io.WriteString(ts.Stdout(), s.sim.HomeText(user))
}

// picture PERSON: waits for a picture in the bot's conversation with the person, and prints its name,
// its size in pixels and its alternative text.
func (s *story) picture(ts *testscript.TestScript, _ bool, args []string) {
	var id string
	s.until(ts, "a picture", func() bool {
		for _, m := range s.sim.Messages("@" + args[0]) {
			for _, f := range m.Files {
				if file, _ := s.sim.File(f); file.AltText != "" {
					id = f
				}
			}
		}
		return id != ""
	})
	file, _ := s.sim.File(id)
	config, format, err := image.DecodeConfig(bytes.NewReader(file.Content))
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s %s %dx%d\n%s\n", file.Name, format, config.Width, config.Height, file.AltText)
}

// subscribe TEXT: fetches the calendar at the address in the text, and prints it.
func (s *story) subscribe(ts *testscript.TestScript, neg bool, args []string) {
	_, path, _ := strings.Cut(ts.ReadFile(args[0]), "/v1/calendar/")
	path, _, _ = strings.Cut(path, "`")
	resp, err := http.Get("http://" + s.addr + "/v1/calendar/" + path)
	ts.Check(err)
	defer resp.Body.Close()
	if shown := resp.StatusCode == http.StatusOK; shown == neg {
		ts.Fatalf("the calendar was answered %s", resp.Status)
	}
	_, err = io.Copy(ts.Stdout(), resp.Body)
	ts.Check(err)
}
