package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A chaosLoad is the monitors of a chaosPlace. Each alert is sent over and over, to the instances
// in turn; no signal is resent because it was refused, so that a lost one can't be replaced by
// accident.
type chaosLoad struct {
	place *chaosPlace
	stop  context.CancelFunc
	group sync.WaitGroup

	mu     sync.Mutex
	alerts map[string]*sentAlert // by dedup key
	turn   atomic.Int64
}

// A sentAlert is what the monitors know about an alert.
type sentAlert struct {
	team           int
	sent, accepted int       // signals
	first          time.Time // when first accepted; zero: never
}

// load sends a number of signals per second, some of which open an incident.
func (p *chaosPlace) load(perSecond, opening float64) *chaosLoad {
	ctx, stop := context.WithCancel(context.Background())
	l := &chaosLoad{place: p, stop: stop, alerts: map[string]*sentAlert{}}
	p.Cleanup(l.end)
	tick := time.NewTicker(time.Duration(float64(time.Second) / perSecond))
	senders := make(chan struct{}, 64)
	l.group.Go(func() {
		defer tick.Stop()
		owed, next := 1.0, 0
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if owed >= 1 {
				owed--
				l.add(fmt.Sprintf("alert-%05d", next), next%p.teams)
				next++
			}
			owed += opening / perSecond
			key := fmt.Sprintf("alert-%05d", int(l.turn.Load())%next)
			if n := int(l.turn.Add(1)); n%3 == 0 {
				key = fmt.Sprintf("alert-%05d", next-1) // new alerts come at a fixed rate
			}
			select {
			case senders <- struct{}{}:
			default:
				continue // all of them wait
			}
			l.group.Go(func() {
				defer func() { <-senders }()
				l.send(key)
			})
		}
	})
	return l
}

func (l *chaosLoad) add(key string, team int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.alerts[key] = &sentAlert{team: team}
}

var chaosClient = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// send sends an alert once, and records the response.
func (l *chaosLoad) send(key string) {
	l.mu.Lock()
	one := l.alerts[key]
	one.sent++
	team := one.team
	l.mu.Unlock()
	to := l.place.running[int(l.turn.Load())%len(l.place.running)]
	body := fmt.Sprintf(`{"title": "%s is broken", "dedup_key": %[1]q, "severity": "critical"}`, key)
	resp, err := chaosClient.Post("http://"+to.addr+"/v1/signals/"+chaosKey(team), "application/json", strings.NewReader(body))
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if one.accepted++; one.first.IsZero() {
		one.first = time.Now()
	}
}

// accepted returns how many signals were accepted, of how many alerts.
func (l *chaosLoad) accepted() (signals, alerts int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.alerts {
		signals += a.accepted
		if a.accepted > 0 {
			alerts++
		}
	}
	return signals, alerts
}

// end stops the monitors, and waits for requests in progress.
func (l *chaosLoad) end() {
	l.stop()
	l.group.Wait()
}

// keys returns the keys of accepted alerts, in order.
func (l *chaosLoad) keys() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	keys := slices.DeleteFunc(slices.Sorted(maps.Keys(l.alerts)), func(k string) bool { return l.alerts[k].accepted == 0 })
	return keys
}

// deliveries counts the messages to people by the id of their delivery, which is a page's key.
func (p *chaosPlace) deliveries() map[string]int {
	found := map[string]int{}
	for team := range p.teams {
		for step := range 3 {
			for _, m := range p.sim.Messages(chaosPerson(team, step)) {
				var meta struct {
					Payload struct {
						ID string `json:"delivery_id"`
					} `json:"event_payload"`
				}
				if json.Unmarshal(m.Metadata, &meta) == nil && meta.Payload.ID != "" {
					found[meta.Payload.ID]++
				}
			}
		}
	}
	return found
}
