-- +goose Up

-- Keys of integrations: when each was used, and until when one is good that was replaced. The key in force is
-- still the one in integrations; it has a row here once it was used, or has replaced another.
CREATE TABLE integration_keys (
    hash           bytea PRIMARY KEY,
    integration_id bigint      NOT NULL REFERENCES integrations,
    hint           text        NOT NULL,
    made_at        timestamptz NOT NULL,
    ends_at        timestamptz, -- null: it is in force
    used_at        timestamptz,
    uses           bigint      NOT NULL DEFAULT 0
);
CREATE INDEX integration_keys_integration ON integration_keys (integration_id);

-- Signals of a muted integration page nobody.
ALTER TABLE integrations ADD muted_at timestamptz;
