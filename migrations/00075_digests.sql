-- Whether a team's channel is told every week what it was like. The release before leaves it alone.

-- +goose Up
ALTER TABLE teams ADD COLUMN digest text NOT NULL DEFAULT ''; -- "weekly", "off", or empty: weekly while there is something to tell
