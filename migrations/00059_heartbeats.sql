-- Heartbeats: what pings as long as all is well.

-- +goose Up
CREATE TABLE heartbeats (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    integration_id bigint      NOT NULL REFERENCES integrations,
    name           text        NOT NULL,
    every          bigint      NOT NULL, -- seconds, like those that follow
    grace          bigint      NOT NULL,
    max_runtime    bigint      NOT NULL DEFAULT 0, -- 0: as long as the grace
    severity       text        NOT NULL DEFAULT 'high',
    by_ping        boolean     NOT NULL DEFAULT false, -- it came up by its first ping, and is in no file
    created_at     timestamptz NOT NULL,
    removed_at     timestamptz,
    pinged_at      timestamptz, -- the latest success
    run_at         timestamptz, -- the latest start that has not ended
    run            text        NOT NULL DEFAULT '', -- which that is
    due_at         timestamptz, -- when it is down unless something comes
    down_at        timestamptz,
    why            text        NOT NULL DEFAULT '', -- it is down
    failed         boolean     NOT NULL DEFAULT false, -- it has said so itself
    together       boolean     NOT NULL DEFAULT false, -- many went missing with it
    muted_at       timestamptz,
    muted_until    timestamptz,
    muted_by       text        NOT NULL DEFAULT '',
    told_at        timestamptz, -- when its integration was told last that it is down
    look_at        timestamptz, -- when there is something to judge or to tell
    heard_at       timestamptz, -- the latest ping of any kind
    said           text        NOT NULL DEFAULT '' -- what was written with it
);
CREATE UNIQUE INDEX heartbeats_name ON heartbeats (integration_id, name) WHERE removed_at IS NULL;
CREATE INDEX heartbeats_look ON heartbeats (look_at) WHERE look_at IS NOT NULL;

-- Pings that have come and are not yet taken in.
CREATE TABLE pings (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    integration_id bigint      NOT NULL REFERENCES integrations,
    received_at    timestamptz NOT NULL,
    signal         json        NOT NULL
);

-- When somebody looked at the heartbeats last: what came between two looks that are far apart could not be heard.
CREATE TABLE heartbeat_ticks (
    one       boolean PRIMARY KEY DEFAULT true CHECK (one),
    ticked_at timestamptz NOT NULL
);
INSERT INTO heartbeat_ticks (ticked_at) VALUES ('epoch');
