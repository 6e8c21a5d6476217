-- Windows of time in which a team's alerts are kept and page nobody. The release before pages in them.

-- +goose Up
CREATE TABLE maintenance_windows (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id        bigint      NOT NULL REFERENCES teams,
    integration_id bigint      NOT NULL DEFAULT 0,    -- 0: all of the team's
    match          jsonb       NOT NULL DEFAULT '[]', -- conditions, all of which an alert must meet
    starts_at      timestamptz NOT NULL,
    ends_at        timestamptz NOT NULL,
    reason         text        NOT NULL DEFAULT '',
    by             jsonb       NOT NULL,
    pages_critical boolean     NOT NULL DEFAULT false,
    name           text        NOT NULL DEFAULT '',   -- what the set-up file calls it; empty: it is not the file's
    created_at     timestamptz NOT NULL,
    begun_at       timestamptz,                       -- when its beginning was told
    over_at        timestamptz,                       -- when what it has kept was looked at
    kept           bigint      NOT NULL DEFAULT 0     -- alerts, once it is over
);
CREATE INDEX maintenance_windows_open ON maintenance_windows (team_id) WHERE over_at IS NULL;

ALTER TABLE alerts
    ADD kept           boolean NOT NULL DEFAULT false, -- it fires, but for a window it has no open incident
    ADD maintenance_id bigint  NOT NULL DEFAULT 0;     -- the window that has kept it last
CREATE INDEX alerts_kept ON alerts (id) WHERE kept AND firing;
CREATE INDEX alerts_maintenance ON alerts (maintenance_id) WHERE maintenance_id <> 0;
