-- What monitors of many kinds say, whoever chose their integration's kind.

-- +goose Up
ALTER TABLE alerts ADD expires_at timestamptz; -- until when it fires if the monitor doesn't repeat it; NULL: it doesn't say

ALTER TABLE integrations ADD taken_for       text NOT NULL DEFAULT ''; -- what its signals were recognised as last, where nobody has chosen a kind
ALTER TABLE integrations ADD first_signal_at timestamptz;              -- NULL: none has come since this is kept
ALTER TABLE integrations ADD unread          bigint NOT NULL DEFAULT 0; -- bodies that could not be understood

-- Requests of Opsgenie's Alert API: their state can be asked for, and an alert is known by an id as well.
CREATE TABLE opsgenie_requests (
    id             uuid PRIMARY KEY,
    integration_id bigint      NOT NULL REFERENCES integrations,
    alert_id       uuid        NOT NULL, -- made of the integration and the alias
    alias          text        NOT NULL, -- the alert's dedup key
    action         text        NOT NULL,
    made_at        timestamptz NOT NULL
);
CREATE INDEX opsgenie_requests_alert ON opsgenie_requests (integration_id, alert_id, made_at);
CREATE INDEX opsgenie_requests_age ON opsgenie_requests (made_at);
