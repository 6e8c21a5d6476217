-- What happens if somebody of a team is away and on call. The release before warns them.

-- +goose Up
ALTER TABLE teams ADD COLUMN time_off text NOT NULL DEFAULT ''; -- "cover", "skip", or empty: they are warned
