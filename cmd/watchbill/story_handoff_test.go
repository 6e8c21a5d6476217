package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/watchbill/watchbill/slacksim"
)

// call calls a Slack Web API method as the app would.
func (s *story) call(ts *testscript.TestScript, method string, args map[string]any) map[string]any {
	body, err := json.Marshal(args)
	ts.Check(err)
	r, err := http.NewRequest(http.MethodPost, s.sim.APIURL()+method, bytes.NewReader(body))
	ts.Check(err)
	r.Header.Set("Authorization", "Bearer xoxb-sim")
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer resp.Body.Close()
	var answer map[string]any
	ts.Check(json.NewDecoder(resp.Body).Decode(&answer))
	if answer["ok"] != true {
		ts.Fatalf(`%s: %v, want answer["ok"] == true`, method, answer)
	}
	return answer
}

// group HANDLE [PERSON…]: prints who is in a user group, or creates one with these people.
func (s *story) group(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) > 1 {
		made := s.call(ts, "usergroups.create", map[string]any{"name": args[0], "handle": args[0]})
		id := made["usergroup"].(map[string]any)["id"]
		var users []string
		for _, name := range args[1:] {
			users = append(users, person(name))
		}
		s.call(ts, "usergroups.users.update", map[string]any{"usergroup": id, "users": strings.Join(users, ",")})
		return
	}
	s.settle(ts)
	groups := s.sim.UserGroups()
	i := slices.IndexFunc(groups, func(g slacksim.Group) bool { return g.Handle == args[0] })
	if i < 0 {
		ts.Fatalf("there is no user group %s", args[0])
	}
	var names []string
	for _, u := range groups[i].Users {
		names = append(names, "@"+strings.ToLower(strings.TrimPrefix(u, "U0")))
	}
	if groups[i].Disabled {
		names = append(names, "(disabled)")
	}
	fmt.Fprintln(ts.Stdout(), strings.Join(names, " "))
}

// topic PLACE [TEXT]: prints a channel's topic, or sets it as a person would.
func (s *story) topic(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 2 {
		c, ok := s.sim.FindChannel(args[0])
		if !ok {
			ts.Fatalf("there is no channel %s", args[0])
		}
		s.call(ts, "conversations.join", map[string]any{"channel": c.ID})
		s.call(ts, "conversations.setTopic", map[string]any{"channel": c.ID, "topic": args[1]})
		return
	}
	s.settle(ts)
	c, _ := s.sim.FindChannel(args[0])
	fmt.Fprintln(ts.Stdout(), c.Topic)
}

// join PERSON guest|member|owner|other: somebody new, as a guest of the workspace, a full member, an owner of it
// or somebody of another organisation in a shared channel.
func (s *story) join(ts *testscript.TestScript, _ bool, args []string) {
	u := slacksim.User{ID: person(args[0]), Name: args[0], RealName: strings.ToUpper(args[0][:1]) + args[0][1:], TZ: "Europe/Berlin"}
	switch args[1] {
	case "guest":
		u.Guest = true
	case "owner":
		u.Owner = true
	case "other":
		u.Team = "T0ELSE"
	}
	s.sim.AddUser(u)
	if s.app == nil || s.away || args[1] != "member" {
		return
	}
	s.until(ts, "Watchbill to hear of it", func() bool {
		var known bool
		ts.Check(s.app.store.Pool().QueryRow(s.t.Context(), `SELECT EXISTS (SELECT FROM users WHERE id = $1 AND standing = 'member')`, u.ID).Scan(&known))
		return known
	})
}

// leave PERSON: the person is deactivated in Slack.
func (s *story) leave(ts *testscript.TestScript, _ bool, args []string) {
	name := strings.ToUpper(args[0][:1]) + args[0][1:]
	s.sim.AddUser(slacksim.User{ID: person(args[0]), Name: args[0], RealName: name, TZ: "Europe/Berlin", Deleted: true})
	s.until(ts, "Watchbill to hear of it", func() bool {
		var gone bool
		ts.Check(s.app.store.Pool().QueryRow(s.t.Context(),
			`SELECT deactivated_at IS NOT NULL FROM users WHERE id = $1`, person(args[0])).Scan(&gone))
		return gone
	})
	s.settle(ts)
}
