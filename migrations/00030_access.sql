-- +goose Up

-- What somebody is in the workspace: '' until Slack has said, "member", "guest" or "stranger".
ALTER TABLE users ADD COLUMN standing text NOT NULL DEFAULT '', ADD COLUMN owner boolean NOT NULL DEFAULT false;

-- Who sees what is the team's, who acts on its incidents, and whose members manage it.
ALTER TABLE teams
    ADD COLUMN private boolean NOT NULL DEFAULT false,
    ADD COLUMN acts text NOT NULL DEFAULT '',
    ADD COLUMN managed_by text NOT NULL DEFAULT '';

-- The workspace that the app was installed in, so that nobody passes for one of its people while Slack
-- can't be asked. One row.
CREATE TABLE workspace (
    id         int  PRIMARY KEY CHECK (id = 1),
    team       text NOT NULL,
    enterprise text NOT NULL,
    url        text NOT NULL
);
