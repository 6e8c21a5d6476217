-- Silences in Alertmanager of what somebody has acknowledged or snoozed. The release before makes none and ends none:
-- those that are there end by themselves.

-- +goose Up
ALTER TABLE integrations ADD silencing jsonb; -- oncall.Silencing; NULL: nothing is silenced

CREATE TABLE silences (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident_id    bigint      NOT NULL REFERENCES incidents ON DELETE CASCADE,
    alert_id       bigint      NOT NULL,
    integration_id bigint      NOT NULL REFERENCES integrations,
    url            text        NOT NULL, -- of that Alertmanager
    dedup_key      text        NOT NULL, -- of the alert
    labels         jsonb       NOT NULL, -- of the alert, all of which it matches
    cause          text        NOT NULL, -- oncall.SilenceCause
    by             text        NOT NULL, -- the person's Slack id
    ends_at        timestamptz NOT NULL,
    token          text        NOT NULL, -- in its comment, by which it is found again
    remote         text        NOT NULL DEFAULT '', -- what Alertmanager calls it; empty: it is not known to be there
    remote_ends_at timestamptz,                     -- as was said there last
    tried          boolean     NOT NULL DEFAULT false, -- it may be there although remote is empty
    failed         text        NOT NULL DEFAULT '', -- why the latest attempt has; empty: it hasn't
    seen_at        timestamptz, -- when the alert was there last
    missing_at     timestamptz, -- since when it isn't
    look_at        timestamptz NOT NULL, -- when there is something to do
    made_at        timestamptz NOT NULL,
    ended_at       timestamptz
);
CREATE INDEX silences_look ON silences (look_at) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX silences_alert ON silences (alert_id) WHERE ended_at IS NULL;
CREATE INDEX silences_incident ON silences (incident_id);

ALTER TABLE alerts ADD silenced_until timestamptz; -- while Alertmanager, asked by us, says nothing of it: a list without it says nothing
