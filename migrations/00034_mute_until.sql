-- +goose Up

-- Until when an integration is muted, and who muted it. The release before knows only muted_at, which is taken
-- away within a minute after the end.
ALTER TABLE integrations
    ADD COLUMN muted_until timestamptz, -- null: until somebody unmutes it
    ADD COLUMN muted_by    text NOT NULL DEFAULT '';

-- Links and buttons in mails, pushes and Telegram that were made by then answer nothing any more.
ALTER TABLE users ADD COLUMN links_ended_at timestamptz;
