package audit

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
)

func (inst installation) policies() (all []thing) {
	for i, policy := range inst.doc.Policies {
		p := inst.Policies[i]
		t := thing{name: policy.Name, teams: []oncall.TeamID{p.TeamID}}
		t.says.text("team", policy.Team)
		for n, st := range policy.Steps {
			t.says.part(fmt.Sprintf("step %d", n+1), inst.step(p, st, p.Steps[n].Targets), whole(st))
		}
		if policy.Repeat != 0 {
			t.says.text("repeat", strconv.Itoa(policy.Repeat))
		}
		if policy.Acks != 0 {
			t.says.text("acks", strconv.Itoa(policy.Acks))
		}
		t.says.text("ack timeout", policy.AckTimeout)
		t.says.text("ack wait", policy.AckWait)
		all = append(all, t)
	}
	return all
}

// whole returns everything about a step, for comparison.
func whole(st setup.Step) string {
	text, _ := json.Marshal(st) // only strings and numbers
	return string(text)
}

// step formats a policy's step in one line.
func (inst installation) step(p oncall.Policy, st setup.Step, targets []oncall.Target) oncall.Sentence {
	var page []oncall.Sentence
	for i, target := range targets {
		switch {
		case target.User != "":
			page = append(page, oncall.Say("%s", target.User))
		case target.Webhook != "":
			page = append(page, oncall.Say("webhook %s", maskedURL(target.Webhook)))
		default:
			page = append(page, oncall.Say("%s", inst.seenBy(p.TeamID, inst.owner(p, target), st.Page[i])))
		}
	}
	var rest []string
	if st.Only != nil {
		var only []string
		for _, s := range st.Only.Severity {
			only = append(only, string(s))
		}
		if st.Only.Hours != "" {
			only = append(only, string(st.Only.Hours))
		}
		rest = append(rest, "only "+strings.Join(only, ", "))
	}
	if st.RoundRobin != "" {
		rest = append(rest, "one person a "+string(st.RoundRobin))
	}
	if st.Repeat > 0 {
		rest = append(rest, fmt.Sprintf("again %d times every %s", st.Repeat, st.Every))
	}
	rest = append(rest, "then wait "+st.Wait)
	return oncall.Say("%s; %s", list(page), strings.Join(rest, "; "))
}

// owner returns the team that a target belongs to, by default the policy's own.
func (inst installation) owner(policy oncall.Policy, t oncall.Target) oncall.TeamID {
	switch {
	case t.Schedule != 0:
		return inst.teamOf[t.Schedule]
	case t.Team != 0:
		return t.Team
	case t.Managers != 0:
		return t.Managers
	case t.Policy != 0:
		return inst.by[t.Policy]
	}
	return policy.TeamID
}
