package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store"
)

const (
	restTeams     = 200
	restIncidents = 300 // open
	restRate      = 200 // requests per second
	restFor       = 5 * time.Second
	restBound     = 20 // ms
)

// rest measures how long the REST API takes to return who is on call and the open incidents.
func (b *bench) rest(ctx context.Context) error {
	t, err := b.prepareWith(ctx, slacksim.Options{}, "bench_rest", restTeams, weeklySchedules)
	if err != nil {
		return err
	}
	defer t.close()
	if err := t.plant(ctx, restIncidents); err != nil {
		return err
	}
	key, err := t.apiKey(ctx)
	if err != nil {
		return err
	}
	t.env = append(t.env, "WATCHBILL_API_LIMIT=0")
	if _, err := t.serve(ctx); err != nil {
		return err
	}
	if err := t.settle(ctx); err != nil {
		return err
	}
	for _, ask := range []struct{ name, path string }{{"oncall_get", "/oncall?team=team7"}, {"incidents_list", "/incidents?state=open"}} {
		if err := b.askSteadily(ctx, t, key, ask.name, ask.path); err != nil {
			return err
		}
	}
	return t.halt()
}

// askSteadily measures the first request, which loads what the others find in memory, and then a steady stream of them.
func (b *bench) askSteadily(ctx context.Context, t *target, key, name, path string) error {
	begin := time.Now()
	if err := t.askOnce(ctx, http.DefaultClient, key, path); err != nil {
		return err
	}
	b.figure(name+"_first_ms", time.Since(begin).Seconds()*1000, "ms")
	took, err := t.ask(ctx, key, path)
	if err != nil {
		return err
	}
	b.percentiles(name, took, true)
	b.figure(name+"_p99_bound_ms", restBound, "ms")
	return nil
}

// apiKey makes an API key with read access.
func (t *target) apiKey(ctx context.Context) (string, error) {
	db, err := store.Open(ctx, t.url, store.Options{Log: zerolog.Nop()})
	if err != nil {
		return "", err
	}
	defer db.Close()
	key, _, err := db.CreateAPIKey(ctx, oncall.ByCommandLine("bench"), oncall.APIKey{Name: "bench", Scopes: []oncall.Scope{oncall.ScopeRead}}, time.Now())
	return key, err
}

// ask makes requests at a steady rate, however long the responses take, and returns how long each
// took.
func (t *target) ask(ctx context.Context, key, path string) ([]time.Duration, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	var mu sync.Mutex
	var took []time.Duration
	var failed error
	var asking sync.WaitGroup
	tick := time.NewTicker(time.Second / restRate)
	defer tick.Stop()
	for range int(restFor.Seconds() * restRate) {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case due := <-tick.C:
			asking.Go(func() {
				err := t.askOnce(ctx, client, key, path)
				mu.Lock()
				defer mu.Unlock()
				took = append(took, time.Since(due))
				if err != nil {
					failed = err
				}
			})
		}
	}
	asking.Wait()
	return took, failed
}

func (t *target) askOnce(ctx context.Context, client *http.Client, key, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+t.addr+"/api/v1"+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s was answered %s", path, resp.Status)
	}
	return nil
}
