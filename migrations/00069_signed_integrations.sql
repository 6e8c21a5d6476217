-- Integrations whose signals are signed, and topics of Amazon SNS to which an integration is open. The release before takes
-- what is not signed, and other topics.

-- +goose Up
ALTER TABLE integrations
    ADD topics        text[]      NOT NULL DEFAULT '{}',    -- of Amazon SNS; empty: whatever has the key is taken
    ADD signed        boolean     NOT NULL DEFAULT false,
    ADD sign_secret   text        NOT NULL DEFAULT '',      -- sealed by WATCHBILL_SECRET; empty: there is none
    ADD sign_before   text        NOT NULL DEFAULT '',      -- the one that it has replaced
    ADD before_ends_at timestamptz;                          -- until when that is good
