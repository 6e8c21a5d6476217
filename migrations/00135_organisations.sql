-- The organisations that one process serves. This table is in every database and filled only in the one that such a process is
-- given: each organisation has a database of its own, whose address is in its settings. These are encrypted by WATCHBILL_SECRET.

-- +goose Up
CREATE TABLE organisations (
	name       text PRIMARY KEY,
	host       text UNIQUE,
	settings   text NOT NULL,
	state      text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended', 'moving')),
	version    bigint NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL,
	changed_at timestamptz NOT NULL
);
COMMENT ON COLUMN organisations.host IS 'the host of its public address, which leads to it';
COMMENT ON COLUMN organisations.version IS 'grows with every change, so that instances begin anew with what it is now';
