-- Every way to reach a person, and every way in which a person can answer.

-- +goose Up

-- Removed contact methods keep their rows, because pages refer to them.
CREATE TABLE contacts (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id      text        NOT NULL REFERENCES users,
    method       text        NOT NULL,
    address      text        NOT NULL, -- empty: learned from the person's first answer
    verified_at  timestamptz,
    confirmed_at timestamptz, -- when the person last answered by it
    disabled_at  timestamptz,
    disabled_why text        NOT NULL,
    created_at   timestamptz NOT NULL,
    removed_at   timestamptz
);
CREATE UNIQUE INDEX contacts_own ON contacts (user_id, method, address) WHERE removed_at IS NULL;
CREATE INDEX contacts_address ON contacts (method, address) WHERE removed_at IS NULL;

-- How people want to be reached. NULL or no row means the defaults.
CREATE TABLE notification_preferences (
    user_id text PRIMARY KEY REFERENCES users,
    high    jsonb,
    low     jsonb,
    hours   jsonb
);

-- Codes sent to verify an address.
CREATE TABLE codes (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    contact_id bigint      NOT NULL REFERENCES contacts,
    method     text        NOT NULL,
    address    text        NOT NULL,
    hash       bytea       NOT NULL, -- SHA-256 of the contact and the code; empty: used or void
    tries      int         NOT NULL,
    sent_at    timestamptz NOT NULL
);
CREATE INDEX codes_contact ON codes (contact_id, sent_at);
CREATE INDEX codes_address ON codes (method, address, sent_at);

-- Messages that ask "can we still reach you?" before a shift.
CREATE TABLE checks (
    contact_id bigint      NOT NULL REFERENCES contacts,
    shift_at   timestamptz NOT NULL,
    sent_at    timestamptz NOT NULL,
    told_at    timestamptz, -- when others were told that there was no answer
    PRIMARY KEY (contact_id, shift_at)
);
CREATE INDEX checks_sent ON checks (sent_at);

ALTER TABLE pages ADD contact   bigint NOT NULL DEFAULT 0; -- 0: the method that everybody has
ALTER TABLE pages ADD recipient text   NOT NULL DEFAULT ''; -- of a page that is not for a person
ALTER TABLE pages ADD due_at    timestamptz; -- not sent earlier; NULL: at once
ALTER TABLE pages ADD held_until timestamptz; -- because the recipient was told of another incident just before
ALTER TABLE pages ADD sender_job bigint; -- the job that is sending it; others leave it alone
ALTER TABLE pages ADD doubt_at  timestamptz; -- start of an attempt that may have been sent
ALTER TABLE pages ADD ref       text   NOT NULL DEFAULT ''; -- the provider's id for it
ALTER TABLE pages ADD redials   int    NOT NULL DEFAULT 0;
ALTER TABLE pages ADD code      int    NOT NULL DEFAULT 0; -- what a person types to refer to it; 0: none
ALTER TABLE pages ADD bundle    bigint NOT NULL DEFAULT 0; -- the page whose message also tells of this one
ALTER TABLE pages ADD receipt   text   NOT NULL DEFAULT ''; -- how far the accepted message got
ALTER TABLE pages ADD track_at  timestamptz; -- when to ask the provider again; NULL: never

CREATE INDEX pages_waiting ON pages (user_id, method, contact, id) WHERE state = 'waiting';
CREATE INDEX pages_bundle ON pages (bundle) WHERE bundle <> 0;
CREATE INDEX pages_code ON pages (contact, code) WHERE code <> 0;
CREATE INDEX pages_contact ON pages (contact, attempted_at DESC) WHERE contact <> 0 AND bundle = 0;
CREATE INDEX pages_track ON pages (track_at) WHERE track_at IS NOT NULL;
CREATE INDEX pages_sent ON pages (method, ended_at) WHERE state = 'delivered';

-- When and of what a person was last told by a contact method. Locking the row makes pages to one
-- recipient go one after the other.
CREATE TABLE reaches (
    user_id      text        NOT NULL,
    method       text        NOT NULL,
    contact      bigint      NOT NULL,
    sent_at      timestamptz, -- NULL: never, or it was not sent after all
    page         bigint      NOT NULL,
    severity     text        NOT NULL, -- the worst one told since then
    integrations bigint[]    NOT NULL,
    PRIMARY KEY (user_id, method, contact)
);

-- Answers already received, so that a repetition does nothing.
CREATE TABLE replies (
    method  text        NOT NULL,
    id      text        NOT NULL, -- the provider's id
    address text        NOT NULL,
    at      timestamptz NOT NULL,
    done    boolean     NOT NULL,
    acted   boolean     NOT NULL,
    PRIMARY KEY (method, id)
);
CREATE INDEX replies_address ON replies (method, address, at);
CREATE INDEX replies_at ON replies (at);

-- How far the answers waiting at each provider have been read.
CREATE TABLE provider_state (
    method text PRIMARY KEY,
    cursor text NOT NULL
);

-- Keys that sign the tokens in messages. The newest one signs; older ones are still accepted.
CREATE TABLE signing_keys (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    secret     bytea       NOT NULL,
    created_at timestamptz NOT NULL
);
