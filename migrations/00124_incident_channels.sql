-- Slack channels of single incidents, and from which severity a team has them made. The release before leaves both alone.

-- +goose Up
ALTER TABLE teams ADD COLUMN incident_channel text NOT NULL DEFAULT ''; -- the least severity for which one is made; '': only if somebody asks
ALTER TABLE incidents ADD COLUMN channel jsonb;                         -- oncall.IncidentChannel; NULL: none

-- What is to be done about them later, or once more.
CREATE INDEX incidents_channel ON incidents ((channel ->> 'look_at')) WHERE channel ->> 'look_at' IS NOT NULL;
