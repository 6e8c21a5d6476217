-- What is old leaves: an incident with all that belongs to it, and the audit log by a term of its own.

-- +goose Up

-- Whatever belongs to an incident leaves with it. They are not checked anew, which would take long and
-- keep others waiting: the constraints that they replace have held.
-- +goose StatementBegin
DO $$
DECLARE
    f record;
BEGIN
    FOR f IN
        SELECT conrelid::regclass AS belongs, conname
        FROM pg_constraint
        WHERE contype = 'f' AND confrelid = 'incidents'::regclass AND confdeltype <> 'c'
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I
            FOREIGN KEY (incident_id) REFERENCES incidents ON DELETE CASCADE NOT VALID', f.belongs, f.conname, f.conname);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- An incident leaves only when it is over.
-- +goose StatementBegin
CREATE FUNCTION refuse_open_incident() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> 'resolved' THEN
        RAISE EXCEPTION 'incident % is open: % refused', OLD.id, TG_OP USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER only_when_over BEFORE DELETE ON incidents
    FOR EACH ROW EXECUTE FUNCTION refuse_open_incident();

-- Events leave with their incident: the foreign key deletes them within a trigger of the incident's. Nobody
-- can do so directly.
-- +goose StatementBegin
CREATE FUNCTION refuse_unless_with_incident() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND pg_trigger_depth() > 1 THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END
$$;
-- +goose StatementEnd
DROP TRIGGER append_only ON incident_events;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON incident_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_unless_with_incident();

-- The audit log is shortened by one function, from its old end.
-- +goose StatementBegin
CREATE FUNCTION refuse_unless_term_is_over() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('watchbill.audit_term', true) = 'over' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END
$$;
CREATE FUNCTION remove_audit(before timestamptz, most int) RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    removed bigint;
BEGIN
    -- Not by the function's SET, which only a superuser may write.
    PERFORM set_config('watchbill.audit_term', 'over', true);
    DELETE FROM audit_log WHERE id IN (SELECT id FROM audit_log WHERE at < before ORDER BY at LIMIT most);
    GET DIAGNOSTICS removed = ROW_COUNT;
    PERFORM set_config('watchbill.audit_term', '', true);
    RETURN removed;
END
$$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION remove_audit FROM PUBLIC;
DROP TRIGGER append_only ON audit_log;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_unless_term_is_over();
