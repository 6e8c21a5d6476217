-- Incidents that take in a flood, alerts that are grouped by their labels, incidents that flap, and alerts that
-- their monitor can't end.

-- +goose Up

ALTER TABLE incidents ADD storm  jsonb;                     -- oncall.Storm; NULL: it is none
ALTER TABLE incidents ADD stated bigint NOT NULL DEFAULT 0; -- of a storm: the version since which only its counters have changed
ALTER TABLE incidents ADD flap   jsonb;                     -- oncall.Flap; NULL: it doesn't flap

-- The latest incidents of an integration, and its storm.
CREATE INDEX incidents_integration ON incidents (integration_id, id);
CREATE INDEX incidents_storming ON incidents (integration_id, id) WHERE storm IS NOT NULL AND storm ->> 'over_at' IS NULL;

ALTER TABLE integrations ADD storm_limit int NOT NULL DEFAULT 10; -- incidents in a minute; 0: no storms
ALTER TABLE integrations ADD grouping    jsonb;                   -- oncall.Grouping; NULL: none

ALTER TABLE alerts ADD keyless boolean NOT NULL DEFAULT false; -- its monitor gave it no key, and can't end it
