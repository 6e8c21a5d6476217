-- What a page belongs to stands in columns. Its key is opaque: providers know messages by it.

-- +goose Up
ALTER TABLE pages ADD call_seq      bigint NOT NULL DEFAULT 0; -- the seq of the incident that called the person; 0: they were asked to help
ALTER TABLE pages ADD asked_version bigint NOT NULL DEFAULT 0; -- the version of the incident that asked the person to help; 0: they were called
ALTER TABLE pages ADD redial_key    text   NOT NULL DEFAULT ''; -- the key of the second call, where nobody picked up the first

-- Pages of resolved incidents keep zeros: they are over, also when their incident is opened again.
UPDATE pages p
SET call_seq      = CASE WHEN split_part(p.key, '/', 2) = 'ask' THEN 0 ELSE split_part(p.key, '/', 2)::bigint END,
    asked_version = CASE WHEN split_part(p.key, '/', 2) = 'ask' THEN split_part(p.key, '/', 3)::bigint ELSE 0 END
FROM incidents i
WHERE i.id = p.incident_id AND i.status <> 'resolved' AND p.key ~ '^[0-9]+/(ask/)?[0-9]{1,18}/';

UPDATE pages SET redial_key = key || '~2' WHERE redials > 0;
CREATE UNIQUE INDEX pages_redial ON pages (redial_key) WHERE redial_key <> '';

-- The release before this one runs beside it for a while, and says all this in the key only. The
-- release after this one may drop both triggers and the function: by then everybody writes the columns.
-- +goose StatementBegin
CREATE FUNCTION page_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.key ~ '^[0-9]+/ask/[0-9]{1,18}/' THEN
        NEW.asked_version := split_part(NEW.key, '/', 3)::bigint;
    ELSIF NEW.key ~ '^[0-9]+/[0-9]{1,18}/' THEN
        NEW.call_seq := split_part(NEW.key, '/', 2)::bigint;
    END IF;
    IF NEW.redials > 0 THEN
        NEW.redial_key := NEW.key || '~2';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER page_identity BEFORE INSERT ON pages
    FOR EACH ROW WHEN (NEW.call_seq = 0 AND NEW.asked_version = 0) EXECUTE FUNCTION page_identity();
CREATE TRIGGER page_redial BEFORE UPDATE OF redials ON pages
    FOR EACH ROW WHEN (NEW.redials > 0 AND NEW.redial_key = '') EXECUTE FUNCTION page_identity();
