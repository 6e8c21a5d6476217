-- Once somebody acknowledges, snoozes, hands over or resolves an incident, earlier pages are no
-- longer sent, even if the incident pages again.

-- +goose Up
ALTER TABLE incidents ADD pages_from bigint NOT NULL DEFAULT 0; -- pages with a lower seq are not sent any more
