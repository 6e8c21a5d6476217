-- Alerts that are closed by age, as their monitor gives them no key.

-- +goose Up

CREATE INDEX alerts_keyless ON alerts (last_at) WHERE firing AND keyless;
