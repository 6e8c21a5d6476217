package rest

import (
	"context"
	"time"

	"github.com/watchbill/watchbill/store"
)

// An Integration is a monitor's inbound key.
type Integration struct {
	Ref
	Team       Ref              `json:"team"`
	Policy     *Ref             `json:"policy,omitempty"`
	Kind       string           `json:"kind" doc:"What its monitor speaks; auto where that is recognised."`
	Keys       []IntegrationKey `json:"keys" doc:"The one in force first, then those that it replaced."`
	Muted      bool             `json:"muted"`
	MutedUntil *time.Time       `json:"muted_until,omitempty"`
}

// An IntegrationKey is a key; only its end is shown.
type IntegrationKey struct {
	Hint   string     `json:"hint" doc:"The last four characters."`
	EndsAt *time.Time `json:"ends_at,omitempty" doc:"Of one that was replaced."`
	UsedAt *time.Time `json:"used_at,omitempty"`
	Uses   int64      `json:"uses"`
}

// A Maintenance is a window in which alerts page nobody.
type Maintenance struct {
	ID            int64     `json:"id"`
	Team          Ref       `json:"team"`
	Integration   *Ref      `json:"integration,omitempty"`
	Match         []string  `json:"match,omitempty" doc:"Which alerts; all of them where it is left out."`
	StartsAt      time.Time `json:"starts_at"`
	EndsAt        time.Time `json:"ends_at"`
	Reason        string    `json:"reason,omitempty"`
	By            *Actor    `json:"by,omitempty"`
	PagesCritical bool      `json:"pages_critical,omitempty"`
	Kept          int       `json:"kept" doc:"Alerts so far."`
	Firing        int       `json:"firing" doc:"Of them."`
}

// A Heartbeat expects regular pings.
type Heartbeat struct {
	ID          int64      `json:"id"`
	Name        string     `json:"name"`
	Integration string     `json:"integration"`
	Team        string     `json:"team"`
	Every       string     `json:"every" example:"24h0m0s"`
	Grace       string     `json:"grace"`
	Severity    string     `json:"severity"`
	Down        bool       `json:"down"`
	DownAt      *time.Time `json:"down_at,omitempty"`
	HeardAt     *time.Time `json:"heard_at,omitempty"`
	Muted       bool       `json:"muted"`
}

func (s *server) signalRoutes() {
	listByTeam(s, operation{path: "/integrations", id: "list-integrations", tag: "integrations", summary: "List integrations"}, func(ctx context.Context, v view) ([]Integration, error) {
		found, err := s.Store.Integrations(ctx, v.caller.by)
		return mapSlice(found, v.listedIntegration), err
	}, func(in Integration) Ref { return in.Team })
	listAll(s, operation{path: "/maintenance", id: "list-maintenance", tag: "maintenance", summary: "List maintenance windows that are not over"}, func(ctx context.Context, v view) ([]Maintenance, error) {
		found, err := s.Store.MaintenanceWindows(ctx, v.caller.by, v.caller.now)
		return mapSlice(found, v.maintenance), err
	})
	listAll(s, operation{path: "/heartbeats", id: "list-heartbeats", tag: "heartbeats", summary: "List heartbeats"}, func(ctx context.Context, v view) ([]Heartbeat, error) {
		found, err := s.Store.Heartbeats(ctx, v.caller.by)
		return mapSlice(found, func(h store.HeartbeatDetail) Heartbeat {
			return Heartbeat{
				ID: int64(h.ID), Name: h.Name, Integration: h.Integration, Team: h.Team, Every: h.Every.Duration().String(), Grace: h.Grace.Duration().String(),
				Severity: string(h.Severity), Down: h.DownAt != nil, DownAt: h.DownAt, HeardAt: h.HeardAt, Muted: h.Muted(v.caller.now),
			}
		}), err
	})
}

func (v view) listedIntegration(in store.IntegrationState) Integration {
	out := Integration{Ref: Ref{int64(in.ID), in.Name}, Team: v.teamRef(in.TeamID), Kind: string(in.Format), Keys: []IntegrationKey{}}
	if p, known := v.Policies[in.PolicyID]; known {
		out.Policy = &Ref{int64(p.ID), p.Name}
	}
	if out.Muted = in.Mute.Muted(v.caller.now); out.Muted {
		out.MutedUntil = in.Mute.MutedUntil
	}
	for _, k := range in.Keys {
		out.Keys = append(out.Keys, IntegrationKey{k.Hint, k.EndsAt, k.UsedAt, k.Uses})
	}
	return out
}

func (v view) maintenance(m store.MaintenanceState) Maintenance {
	out := Maintenance{
		ID: int64(m.ID), Team: v.teamRef(m.TeamID), StartsAt: m.StartsAt, EndsAt: m.EndsAt, Reason: m.Reason, By: v.actor(m.By),
		PagesCritical: m.PagesCritical, Kept: m.Kept, Firing: m.Firing,
	}
	if m.IntegrationID != 0 {
		out.Integration = &Ref{int64(m.IntegrationID), v.IntegrationName(m.IntegrationID)}
	}
	for _, match := range m.Match {
		out.Match = append(out.Match, match.String())
	}
	return out
}
