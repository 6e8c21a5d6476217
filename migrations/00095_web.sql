-- +goose Up

-- Who is signed in to the pages. Of what the browser keeps only a hash is here.
CREATE TABLE web_sessions (
    hash       bytea       PRIMARY KEY,
    user_id    text        NOT NULL REFERENCES users,
    how        text        NOT NULL, -- "link", "provider"
    made_at    timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL, -- up to some minutes late
    expires_at timestamptz NOT NULL
);
CREATE INDEX web_sessions_user ON web_sessions (user_id);
CREATE INDEX web_sessions_expires ON web_sessions (expires_at);

-- Links that sign somebody in, once. A link that was used is gone.
CREATE TABLE web_links (
    hash       bytea       PRIMARY KEY,
    user_id    text        NOT NULL REFERENCES users,
    made_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX web_links_user ON web_links (user_id);
CREATE INDEX web_links_expires ON web_links (expires_at);
