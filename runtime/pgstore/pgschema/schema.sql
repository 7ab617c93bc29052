-- Sessions of duckgen, for Postgres 14 and later. Running this again changes
-- nothing. All names begin with duckgen_ and live in the first schema of the
-- search_path.

-- Tables of another version stay as they are.
DO $$
DECLARE
    version integer;
BEGIN
    IF to_regprocedure('duckgen_schema_version()') IS NOT NULL THEN
        version := duckgen_schema_version();
    END IF;
    IF version <> 10 THEN
        RAISE EXCEPTION 'the tables are of version %, and these statements make version 10: '
            'drop the tables whose names begin with duckgen_, which ends all sessions, and the functions', version;
    END IF;
END $$;

-- One row is one session. A row that has ended is only the mark of it. Columns of
-- a fixed width come first, and what every commit changes lies together. There is
-- no CHECK, because Postgres parses it anew for each commit, which takes a third of
-- its time: duckgen_admit looks instead whether the row is sound.
CREATE TABLE IF NOT EXISTS duckgen_sessions (
    id        uuid PRIMARY KEY,
    created   timestamptz NOT NULL,
    renewed   timestamptz NOT NULL,
    signed_in timestamptz,
    used      timestamptz,          -- the last recorded activity besides renewals
    deadline  timestamptz,
    ended     timestamptz,
    due       timestamptz NOT NULL, -- when to look whether it has expired, at most expires: see duckgen_sweep
    expires   timestamptz NOT NULL,
    data      jsonb NOT NULL,       -- an object with a member for each entry
    counters  jsonb NOT NULL,       -- those that are added to
    kind      text NOT NULL,
    proof     bytea NOT NULL,       -- 32 bytes
    family    bytea NOT NULL,       -- 8 bytes
    indexed   text[],               -- the entries by which the session is found
    idle      interval,             -- the session's own idle limit, NULL: the configured one
    persistent boolean,             -- whether its cookie outlives the browser, NULL: as configured

    -- the last proofs before the current one, newest first
    earlier_proof     bytea[],
    earlier_ended     timestamptz[],
    earlier_by        smallint[], -- 0: renewed, 1: signed in, 2: signed out, 3: as good as the one after it
    earlier_presented timestamptz[],
    earlier_grace     interval[],

    ticket_proof bytea,
    ticket_ends  timestamptz,
    ticket_saw   bytea,
    ticket_sole  boolean
) WITH (fillfactor = 80);

CREATE INDEX IF NOT EXISTS duckgen_sessions_due ON duckgen_sessions (due);

-- Which sessions carry an indexed value, see duckgen_value.
CREATE TABLE IF NOT EXISTS duckgen_index (
    value bytea NOT NULL,
    id    uuid NOT NULL REFERENCES duckgen_sessions ON DELETE CASCADE,
    PRIMARY KEY (value, id)
);

CREATE INDEX IF NOT EXISTS duckgen_index_id ON duckgen_index (id);

-- Values that were revoked within the last day.
CREATE TABLE IF NOT EXISTS duckgen_revocations (
    value    bytea NOT NULL,
    at       timestamptz NOT NULL,
    excepted uuid[] NOT NULL
);

CREATE INDEX IF NOT EXISTS duckgen_revocations_value ON duckgen_revocations (value);
CREATE INDEX IF NOT EXISTS duckgen_revocations_at ON duckgen_revocations (at);

-- The key of a value in the index: of a fixed length, however long the value.
CREATE OR REPLACE FUNCTION duckgen_value(kind text, field text, value jsonb) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT sha256(convert_to(jsonb_build_array(kind, field, value)::text, 'UTF8'))
$$;

-- The advisory lock of a value. Whoever signs in holds it shared until the
-- commit, so whoever marks a value waits for sign-ins that did not see the mark.
CREATE OR REPLACE FUNCTION duckgen_value_lock(value bytea) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT hashtextextended(encode(value, 'hex'), 0)
$$;

-- By how much the times that a program sends are to be moved: the server's time is
-- ahead by d of what the program takes it to be. What is less than half a second is
-- the way of the statement, or the difference of clocks that count as one.
CREATE OR REPLACE FUNCTION duckgen_late(d interval) RETURNS interval
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN d > '-0.5 s' AND d < '0.5 s' THEN '0' ELSE date_trunc('milliseconds', d) END
$$;

CREATE OR REPLACE FUNCTION duckgen_move(times timestamptz[], k_late interval) RETURNS timestamptz[]
LANGUAGE plpgsql AS $$
BEGIN
    FOR n IN 1 .. coalesce(cardinality(times), 0) LOOP
        times[n] := times[n] + k_late;
    END LOOP;
    RETURN times;
END $$;

-- Tells those who listen, once the change is committed: 'ended <id>', or 'renewed
-- <id> <proof>'.
CREATE OR REPLACE FUNCTION duckgen_tell(change text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('duckgen_' || 'duckgen_sessions'::regclass::oid, change);
END $$;

-- Whether the proof at a place is the current one, or as good.
CREATE OR REPLACE FUNCTION duckgen_is_current(r duckgen_sessions, place integer) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN place = 0 OR r.earlier_by[place] = 3;
END $$;

-- Whether the key may operate on the row, 'to read', 'to write' or 'to end' it or the
-- user's being signed in to it, and at which place its proof is: 0 is the current one,
-- 1 to 4 are earlier ones. An unknown proof of the row's own family is one that was
-- replaced so long ago that it is not listed any more: before the last renewal it may
-- still have been. A request that arrived in time may end the session, however long
-- it has waited.
CREATE OR REPLACE FUNCTION duckgen_admit(
    r duckgen_sessions, purpose text,
    k_proof bytea, k_family bytea, k_ticket boolean, k_now timestamptz, k_arrived timestamptz, k_held boolean,
    OUT verdict text, OUT place integer
) LANGUAGE plpgsql AS $$
DECLARE
    over timestamptz;
BEGIN
    verdict := 'not found';
    IF r.id IS NULL THEN
        RETURN;
    END IF;
    IF jsonb_typeof(r.data) <> 'object' OR jsonb_typeof(r.counters) <> 'object' OR octet_length(r.proof) <> 32 THEN
        verdict := 'damaged';
        RETURN;
    END IF;
    place := CASE WHEN r.proof = k_proof THEN 0 ELSE array_position(r.earlier_proof, k_proof) END;
    IF r.ended IS NOT NULL THEN
        IF place IS NOT NULL AND k_arrived < r.ended AND k_now < r.expires THEN
            verdict := 'ended';
        END IF;
        place := NULL;
    ELSIF k_now >= r.expires THEN
        place := NULL;
    ELSIF k_ticket THEN
        place := 0;
        IF purpose <> 'to read' AND k_proof = r.ticket_proof AND k_now < r.ticket_ends THEN
            verdict := 'ok';
        END IF;
    ELSIF place IS NULL THEN
        IF r.family = k_family AND k_arrived < r.earlier_ended[1] AND purpose = 'to end' THEN
            verdict := 'ok';
        ELSIF r.family = k_family AND NOT k_held AND (k_arrived < r.earlier_ended[1]) IS NOT TRUE THEN
            verdict := 'reused';
        END IF;
    ELSIF duckgen_is_current(r, place) THEN
        verdict := 'ok';
    ELSIF r.earlier_by[place] = 0 THEN
        over := r.earlier_presented[place] + r.earlier_grace[place];
        IF over IS NULL OR k_now < over OR k_arrived < over AND purpose = 'to end' THEN
            verdict := 'ok';
        ELSIF NOT k_held AND k_arrived >= over THEN
            verdict := 'reused';
        END IF;
    ELSIF k_arrived < r.earlier_ended[place] + r.earlier_grace[place] THEN
        verdict := 'superseded';
    END IF;
END $$;

-- When the earlier proofs' successors were first presented, now that the proof
-- at the place has been.
CREATE OR REPLACE FUNCTION duckgen_presented(r duckgen_sessions, place integer, k_now timestamptz) RETURNS timestamptz[]
LANGUAGE plpgsql AS $$
BEGIN
    FOR n IN place + 1 .. coalesce(cardinality(r.earlier_proof), 0) LOOP
        IF r.earlier_by[n] = 0 THEN
            r.earlier_presented[n] := coalesce(r.earlier_presented[n], k_now);
        END IF;
    END LOOP;
    RETURN r.earlier_presented;
END $$;

-- Ends live sessions that are locked: their marks stay for a minute.
CREATE OR REPLACE FUNCTION duckgen_end(ids uuid[], k_now timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    mark_ends timestamptz := date_trunc('milliseconds', k_now + interval '1 minute');
BEGIN
    DELETE FROM duckgen_index WHERE id = ANY (ids);
    UPDATE duckgen_sessions SET
        data = '{}', counters = '{}', indexed = NULL, signed_in = NULL, used = NULL, deadline = NULL, idle = NULL, persistent = NULL,
        ticket_proof = NULL, ticket_ends = NULL, ticket_saw = NULL, ticket_sole = NULL,
        due = mark_ends, expires = mark_ends, ended = k_now
    WHERE id = ANY (ids);
    PERFORM duckgen_tell('ended ' || id) FROM unnest(ids) AS id;
END $$;

-- Makes the index of one session what its row says.
CREATE OR REPLACE FUNCTION duckgen_reindex(r duckgen_sessions) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM duckgen_index WHERE id = r.id;
    INSERT INTO duckgen_index (value, id)
    SELECT duckgen_value(r.kind, field, r.data->field), r.id FROM unnest(r.indexed) AS field;
END $$;

-- Whether one of the fields' values was revoked after the request had arrived. The
-- field '' stands for the kind, of which all sessions were revoked.
CREATE OR REPLACE FUNCTION duckgen_barred(
    k_id uuid, k_now timestamptz, k_arrived timestamptz, of_kind text, fields text[], data jsonb
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v bytea;
BEGIN
    FOR v IN SELECT duckgen_value(of_kind, field, data->field) FROM unnest(fields) AS field ORDER BY 1 LOOP
        PERFORM pg_advisory_xact_lock_shared(duckgen_value_lock(v));
        IF EXISTS (
            SELECT FROM duckgen_revocations
            WHERE value = v AND at > k_arrived AND k_id <> ALL (excepted)
                AND at > k_now - interval '24 hours' AND at < k_now + interval '1 minute'
        ) THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END $$;

-- Looks at most at some of the sessions that are due, and at none that others are
-- working on. Activity moves the end of a session, but not when it is due: were
-- that moved, too, each commit would be an entry in every index of the table. So
-- a session that turns out to be alive becomes due at the end that it has now.
CREATE OR REPLACE FUNCTION duckgen_sweep(until timestamptz, most integer, OUT seen integer, OUT removed integer)
LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[] := ARRAY(
        SELECT id FROM duckgen_sessions WHERE due <= until ORDER BY due LIMIT most FOR UPDATE SKIP LOCKED);
BEGIN
    seen := cardinality(ids);
    removed := 0;
    IF seen > 0 THEN
        DELETE FROM duckgen_sessions WHERE id = ANY (ids) AND expires <= until;
        GET DIAGNOSTICS removed = ROW_COUNT;
    END IF;
    IF removed < seen THEN
        UPDATE duckgen_sessions SET due = expires WHERE id = ANY (ids);
    END IF;
END $$;

-- Stores a new session, and looks at a few that were due more than a minute ago.
CREATE OR REPLACE FUNCTION duckgen_create(
    k_id uuid, k_now timestamptz, k_arrived timestamptz, k_late interval,
    kind text, proof bytea, family bytea, data jsonb, counters jsonb, indexed text[],
    created timestamptz, renewed timestamptz, signed_in timestamptz, deadline timestamptz, expires timestamptz,
    earlier_proof bytea[], earlier_ended timestamptz[], earlier_by smallint[],
    earlier_presented timestamptz[], earlier_grace interval[],
    ticket_proof bytea, ticket_ends timestamptz, ticket_saw bytea, ticket_sole boolean,
    used timestamptz, idle interval, persistent boolean
) RETURNS text
LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    r duckgen_sessions;
BEGIN
    IF duckgen_barred(k_id, k_now, k_arrived, kind, array_append(indexed, ''), data) THEN
        RETURN CASE WHEN EXISTS (SELECT FROM duckgen_sessions AS s WHERE s.id = k_id AND s.expires > k_now)
            THEN 'exists' ELSE 'ended' END;
    END IF;
    INSERT INTO duckgen_sessions AS s (
        id, kind, proof, family, data, counters, indexed, created, renewed, signed_in, deadline, due, expires,
        earlier_proof, earlier_ended, earlier_by, earlier_presented, earlier_grace,
        ticket_proof, ticket_ends, ticket_saw, ticket_sole, used, idle, persistent
    ) VALUES (
        k_id, kind, proof, family, data, counters, indexed,
        created + k_late, renewed + k_late, signed_in + k_late, deadline + k_late, expires + k_late, expires + k_late,
        earlier_proof, duckgen_move(earlier_ended, k_late), earlier_by, duckgen_move(earlier_presented, k_late), earlier_grace,
        ticket_proof, ticket_ends + k_late, ticket_saw, ticket_sole, used + k_late, idle, persistent
    ) ON CONFLICT ON CONSTRAINT duckgen_sessions_pkey DO UPDATE SET
        kind = EXCLUDED.kind, proof = EXCLUDED.proof, family = EXCLUDED.family,
        data = EXCLUDED.data, counters = EXCLUDED.counters, indexed = EXCLUDED.indexed,
        created = EXCLUDED.created, renewed = EXCLUDED.renewed, signed_in = EXCLUDED.signed_in,
        deadline = EXCLUDED.deadline, due = EXCLUDED.due, expires = EXCLUDED.expires, ended = NULL,
        earlier_proof = EXCLUDED.earlier_proof, earlier_ended = EXCLUDED.earlier_ended,
        earlier_by = EXCLUDED.earlier_by, earlier_presented = EXCLUDED.earlier_presented,
        earlier_grace = EXCLUDED.earlier_grace, ticket_proof = EXCLUDED.ticket_proof,
        ticket_ends = EXCLUDED.ticket_ends, ticket_saw = EXCLUDED.ticket_saw, ticket_sole = EXCLUDED.ticket_sole,
        used = EXCLUDED.used, idle = EXCLUDED.idle, persistent = EXCLUDED.persistent
    WHERE s.expires <= k_now
    RETURNING s.* INTO r;
    IF NOT FOUND THEN
        RETURN 'exists';
    END IF;
    IF indexed IS NOT NULL THEN
        PERFORM duckgen_reindex(r);
    ELSE
        DELETE FROM duckgen_index AS i WHERE i.id = k_id; -- of an expired row in whose place this one is
    END IF;
    PERFORM duckgen_sweep(k_now - interval '1 minute', 8);
    RETURN 'ok';
END $$;

-- Loads the session where that has to write: the first presentation of a renewed
-- token, or the end of a session whose token was reused.
CREATE OR REPLACE FUNCTION duckgen_load(
    k_id uuid, k_proof bytea, k_family bytea, k_ticket boolean,
    k_now timestamptz, k_arrived timestamptz, k_held boolean, k_live boolean
) RETURNS TABLE (verdict text, r duckgen_sessions)
LANGUAGE plpgsql AS $$
DECLARE
    admitted record;
BEGIN
    SELECT * INTO r FROM duckgen_sessions WHERE id = k_id FOR NO KEY UPDATE;
    admitted := duckgen_admit(r, 'to read', k_proof, k_family, k_ticket, k_now, k_arrived, k_held);
    verdict := admitted.verdict;
    IF verdict = 'reused' THEN
        PERFORM duckgen_end(ARRAY[k_id], k_now);
    ELSIF verdict = 'ok' AND NOT k_live THEN
        r.earlier_presented := duckgen_presented(r, admitted.place, k_now);
        UPDATE duckgen_sessions SET earlier_presented = r.earlier_presented WHERE id = k_id;
    END IF;
    RETURN NEXT;
END $$;

-- Ends the session for good. What was no live session is no error.
CREATE OR REPLACE FUNCTION duckgen_delete(
    k_id uuid, k_proof bytea, k_family bytea, k_ticket boolean,
    k_now timestamptz, k_arrived timestamptz, k_held boolean
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    r        duckgen_sessions;
    admitted record;
    verdict  text;
BEGIN
    SELECT * INTO r FROM duckgen_sessions WHERE id = k_id FOR NO KEY UPDATE;
    admitted := duckgen_admit(r, 'to end', k_proof, k_family, k_ticket, k_now, k_arrived, k_held);
    verdict := admitted.verdict;
    IF verdict = 'reused' OR verdict = 'ok' AND NOT (k_ticket AND NOT r.ticket_sole) THEN
        PERFORM duckgen_end(ARRAY[k_id], k_now);
    END IF;
    RETURN CASE verdict WHEN 'not found' THEN 'ok' ELSE verdict END;
END $$;

-- The names in an object that belong to one of the fields.
CREATE OR REPLACE FUNCTION duckgen_of_fields(entries jsonb, fields text[]) RETURNS text[]
LANGUAGE plpgsql AS $$
BEGIN
    RETURN ARRAY(SELECT name FROM jsonb_object_keys(entries) AS name WHERE split_part(name, ':', 1) = ANY (fields));
END $$;

CREATE OR REPLACE FUNCTION duckgen_texts(list jsonb) RETURNS text[]
LANGUAGE plpgsql AS $$
BEGIN
    RETURN ARRAY(SELECT jsonb_array_elements_text(list));
END $$;

CREATE OR REPLACE FUNCTION duckgen_names(object jsonb) RETURNS text[]
LANGUAGE plpgsql AS $$
BEGIN
    RETURN ARRAY(SELECT jsonb_object_keys(object));
END $$;

-- Whether the conditions of the delta hold.
CREATE OR REPLACE FUNCTION duckgen_holds(data jsonb, counters jsonb, d jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    names text[];
BEGIN
    IF d ? 'absent' THEN
        names := duckgen_texts(d->'absent');
        IF data ?| names OR counters ?| names THEN
            RETURN false;
        END IF;
    END IF;
    RETURN NOT d ? 'never'
        AND NOT EXISTS (SELECT FROM jsonb_each(d->'equal') AS e WHERE data->e.key IS DISTINCT FROM e.value)
        AND NOT EXISTS (SELECT FROM jsonb_each(d->'equal_count') AS e WHERE counters->e.key IS DISTINCT FROM e.value);
END $$;

-- Adds to counters. An entry that is no counter is replaced by one, and so is a
-- counter that somebody has made something else.
CREATE OR REPLACE FUNCTION duckgen_add(
    INOUT data jsonb, INOUT counters jsonb, d jsonb, OUT replaced text[], OUT overflow text
) LANGUAGE plpgsql AS $$
DECLARE
    name text;
    had  numeric;
    n    numeric;
BEGIN
    FOR name, n IN SELECT e->>0, (e->>1)::numeric FROM jsonb_array_elements(d->'add') AS e LOOP
        had := CASE WHEN counters->>name ~ '^-?\d{1,19}$' THEN (counters->name)::numeric END;
        n := n + coalesce(had, 0);
        IF n NOT BETWEEN -9223372036854775808 AND 9223372036854775807 THEN
            overflow := split_part(name, ':', 1);
            RETURN;
        END IF;
        IF data ? name OR counters ? name AND had IS NULL THEN
            replaced := array_append(replaced, name);
            data := data - name;
        END IF;
        IF n = 0 AND d->'drop' ? name THEN
            counters := counters - name;
        ELSE
            counters := counters || jsonb_build_object(name, n);
        END IF;
    END LOOP;
END $$;

-- The bytes of all keys and values, with 8 for each counter.
CREATE OR REPLACE FUNCTION duckgen_size(data jsonb, counters jsonb) RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT coalesce(sum(octet_length(key) + octet_length(value::text)), 0) FROM jsonb_each(data))
        + (SELECT coalesce(sum(octet_length(name) + 8), 0) FROM jsonb_object_keys(counters) AS name);
END $$;

CREATE OR REPLACE FUNCTION duckgen_elements(data jsonb, counters jsonb, field text) RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT count(*) FROM jsonb_object_keys(data) AS name WHERE starts_with(name, field || ':'))
        + (SELECT count(*) FROM jsonb_object_keys(counters) AS name WHERE starts_with(name, field || ':'));
END $$;

-- The field that would outgrow its limit, '' for the record as a whole. Limits
-- bind only what grows.
CREATE OR REPLACE FUNCTION duckgen_outgrown(r duckgen_sessions, data jsonb, counters jsonb, d jsonb) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    limited record;
    n       bigint;
BEGIN
    FOR limited IN SELECT e->>0 AS field, (e->>1)::bigint AS most FROM jsonb_array_elements(d->'max') AS e LOOP
        n := duckgen_elements(data, counters, limited.field);
        IF n > limited.most AND n > duckgen_elements(r.data, r.counters, limited.field) THEN
            RETURN limited.field;
        END IF;
    END LOOP;
    IF d ? 'bytes' THEN
        n := duckgen_size(data, counters);
        IF n > (d->'bytes')::bigint AND n > duckgen_size(r.data, r.counters) THEN
            RETURN '';
        END IF;
    END IF;
    RETURN NULL;
END $$;

-- What the operations of a delta make of the entries of a row.
CREATE OR REPLACE FUNCTION duckgen_change(
    r duckgen_sessions, d jsonb,
    OUT verdict text, OUT field text, OUT replaced text[], OUT data jsonb, OUT counters jsonb, OUT indexed text[]
) LANGUAGE plpgsql AS $$
DECLARE
    names text[];
    added record;
BEGIN
    data := r.data;
    counters := r.counters;
    indexed := r.indexed;
    IF (d ? 'equal' OR d ? 'equal_count' OR d ? 'absent' OR d ? 'never') AND NOT duckgen_holds(data, counters, d) THEN
        verdict := 'conflict';
        RETURN;
    END IF;
    IF d ? 'clear' THEN
        names := duckgen_texts(d->'clear');
        data := data - duckgen_of_fields(data, names);
        counters := counters - duckgen_of_fields(counters, names);
    END IF;
    IF d ? 'remove' THEN
        names := duckgen_texts(d->'remove');
        data := data - names;
        counters := counters - names;
    END IF;
    IF d ? 'set' THEN
        data := data || (d->'set');
        IF counters <> '{}' THEN
            counters := counters - duckgen_names(d->'set');
        END IF;
    END IF;
    IF d ? 'count' THEN
        data := data - duckgen_names(d->'count');
        counters := counters || (d->'count');
    END IF;
    IF d ? 'add' THEN
        added := duckgen_add(data, counters, d);
        data := added.data;
        counters := added.counters;
        replaced := added.replaced;
        field := added.overflow;
        IF field IS NOT NULL THEN
            verdict := 'overflow';
            RETURN;
        END IF;
    END IF;
    -- The texts are longer than what counts, so most records need no exact sum.
    IF d ? 'max' OR octet_length(data::text) + 2 * octet_length(counters::text) > (d->'bytes')::bigint THEN
        field := duckgen_outgrown(r, data, counters, d);
        IF field IS NOT NULL THEN
            verdict := 'too large';
            RETURN;
        END IF;
    END IF;
    IF d ? 'index' OR d->'set' ?| indexed OR NOT data ?& indexed THEN
        indexed := nullif(ARRAY(
            SELECT name FROM unnest(indexed) AS name WHERE data ? name AND NOT coalesce(d->'set' ? name, false)
            UNION SELECT jsonb_array_elements_text(d->'index')), '{}');
    END IF;
    verdict := 'ok';
END $$;

-- Replaces the ticket, or removes it.
CREATE OR REPLACE FUNCTION duckgen_set_ticket(r duckgen_sessions, ticket jsonb) RETURNS duckgen_sessions
LANGUAGE plpgsql AS $$
BEGIN
    r.ticket_proof := decode(ticket->>'proof', 'hex');
    r.ticket_ends := (ticket->>'ends')::timestamptz;
    r.ticket_saw := decode(ticket->>'saw', 'hex');
    r.ticket_sole := ticket ? 'sole';
    RETURN r;
END $$;

-- Whether a sign-in names whom the row has: in every identity field, in every
-- field that it sets, and whether the row has nobody. A field that a sign-in does
-- not set has no value.
CREATE OR REPLACE FUNCTION duckgen_compare(
    r duckgen_sessions, fields jsonb, OUT vacant boolean, OUT fits boolean, OUT same boolean
) LANGUAGE plpgsql AS $$
BEGIN
    SELECT
        bool_and(stored IS NULL) FILTER (WHERE f ? 'identity'),
        bool_and(stored IS NOT DISTINCT FROM f->'value') FILTER (WHERE f ? 'identity'),
        bool_and(stored IS NOT DISTINCT FROM f->'value') FILTER (WHERE f ? 'value')
    INTO vacant, fits, same
    FROM jsonb_array_elements(fields) AS f, LATERAL (
        SELECT r.data->(CASE WHEN r.data ? (f->>'key') OR r.counters ? (f->>'key') THEN f->>'key' ELSE f->>'was' END)
    ) AS of_row (stored);
    vacant := coalesce(vacant, true);
    fits := coalesce(fits, true);
    same := coalesce(same, true);
END $$;

-- What becomes of a sign-in, in place of the verdict on its key. A token that is not
-- the current one may sign in if its browser alone can have the row, or if the row
-- is the same user's; one that a sign-in has ended only if that was the same user's.
CREATE OR REPLACE FUNCTION duckgen_sign_in(
    r duckgen_sessions, sign_in jsonb, place integer, k_now timestamptz, k_arrived timestamptz,
    INOUT verdict text, OUT kind integer
) LANGUAGE plpgsql AS $$
DECLARE
    compared record;
BEGIN
    IF verdict = 'ok' AND (duckgen_is_current(r, place) OR r.earlier_presented[place] IS NULL) THEN
        kind := 1;
        RETURN;
    END IF;
    IF verdict <> 'ok' AND (place IS NULL OR place = 0 OR r.earlier_by[place] = 0) THEN
        RETURN;
    END IF;
    compared := duckgen_compare(r, sign_in->'fields');
    IF verdict = 'ok' THEN
        IF compared.vacant OR compared.fits THEN
            kind := 1;
        ELSE
            verdict := 'superseded';
        END IF;
    ELSIF sign_in ? 'joins' AND compared.same THEN
        verdict := 'ok';
        kind := CASE WHEN k_now < r.earlier_ended[place] + r.earlier_grace[place] THEN 3 ELSE 1 END;
    ELSIF EXISTS (
        SELECT FROM unnest(r.earlier_by[1:place], r.earlier_ended[1:place]) AS e (by, ended)
        WHERE e.by = 2 AND k_arrived < e.ended
    ) THEN
        verdict := 'signed out';
    END IF;
END $$;

-- Whether the token at a place was renewed a grace ago and none of its successors
-- has been presented.
CREATE OR REPLACE FUNCTION duckgen_never_replaced(r duckgen_sessions, place integer, k_now timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN r.earlier_by[place] = 0 AND r.earlier_presented[place] IS NULL
        AND k_now >= r.earlier_ended[place] + r.earlier_grace[place];
END $$;

-- At which place there is no room when the one at a place renews: the oldest, but
-- never the one that renews.
CREATE OR REPLACE FUNCTION duckgen_falls_out(r duckgen_sessions, place integer) RETURNS integer
LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN cardinality(r.earlier_proof) = 4 THEN CASE WHEN place = 4 THEN 3 ELSE 4 END END;
END $$;

-- Whether the row can list one proof more without forgetting one that may be in use. It
-- would be taken for reuse.
CREATE OR REPLACE FUNCTION duckgen_has_room(r duckgen_sessions, place integer, k_now timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    n integer := duckgen_falls_out(r, place);
BEGIN
    IF r.earlier_by[n] = 0 AND n > place THEN
        RETURN coalesce(k_now >= r.earlier_presented[n] + r.earlier_grace[n], false);
    END IF;
    RETURN coalesce(k_now >= r.earlier_ended[n] + r.earlier_grace[n], true);
END $$;

-- Whether a renewal that ends nothing takes place by the proof at a place. By a ticket that alone can
-- deliver the session it does, for nobody has its token.
CREATE OR REPLACE FUNCTION duckgen_renewable(
    r duckgen_sessions, place integer, k_ticket boolean, k_now timestamptz
) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN k_ticket AND r.ticket_sole
        OR (duckgen_is_current(r, place) OR duckgen_never_replaced(r, place, k_now)) AND duckgen_has_room(r, place, k_now);
END $$;

-- Which renewal takes place: of one of the kinds of earlier_by, or NULL for none.
CREATE OR REPLACE FUNCTION duckgen_renewal_of(
    r duckgen_sessions, d jsonb, place integer, k_ticket boolean, k_now timestamptz, k_arrived timestamptz,
    INOUT verdict text, OUT kind integer
) LANGUAGE plpgsql AS $$
DECLARE
    judged record;
    wanted integer := (d->'renew'->'kind')::integer;
BEGIN
    IF d ? 'sign_in' THEN
        judged := duckgen_sign_in(r, d->'sign_in', place, k_now, k_arrived, verdict);
        verdict := judged.verdict;
        kind := judged.kind;
    ELSIF verdict = 'ok' AND wanted IS NOT NULL AND (wanted IN (1, 2) OR duckgen_renewable(r, place, k_ticket, k_now)) THEN
        kind := wanted;
    END IF;
END $$;

-- Replaces the proof, by the one at a place. A sign-in or a sign-out ends every
-- proof before. The oldest falls out, but never the one that renews. An outstanding
-- ticket ends with the proof that it was made for.
CREATE OR REPLACE FUNCTION duckgen_renew(
    r duckgen_sessions, kind integer, renewal jsonb, place integer, k_now timestamptz
) RETURNS duckgen_sessions
LANGUAGE plpgsql AS $$
DECLARE
    grace     interval := (renewal->'grace')::bigint * interval '1 microsecond';
    falls_out integer := duckgen_falls_out(r, place);
    old       duckgen_sessions := r;
BEGIN
    r.earlier_proof := ARRAY[r.proof];
    r.earlier_ended := ARRAY[k_now];
    r.earlier_by := ARRAY[kind];
    r.earlier_presented := ARRAY[NULL::timestamptz];
    r.earlier_grace := ARRAY[grace];
    FOR n IN 1 .. coalesce(cardinality(old.earlier_proof), 0) LOOP
        CONTINUE WHEN n = falls_out;
        IF old.earlier_by[n] = 3 AND kind <> 3 OR old.earlier_by[n] = 0 AND kind IN (1, 2) THEN
            old.earlier_ended[n] := k_now;
            old.earlier_by[n] := kind;
            old.earlier_presented[n] := NULL;
            old.earlier_grace[n] := grace;
        END IF;
        r.earlier_proof := r.earlier_proof || old.earlier_proof[n];
        r.earlier_ended := r.earlier_ended || old.earlier_ended[n];
        r.earlier_by := r.earlier_by || old.earlier_by[n];
        r.earlier_presented := r.earlier_presented || old.earlier_presented[n];
        r.earlier_grace := r.earlier_grace || old.earlier_grace[n];
    END LOOP;
    r.proof := decode(renewal->>'proof', 'hex');
    r.renewed := date_trunc('milliseconds', k_now);
    r.family := decode(renewal->>'family', 'hex');
    r.signed_in := CASE kind WHEN 1 THEN r.renewed WHEN 2 THEN NULL ELSE r.signed_in END;
    RETURN duckgen_set_ticket(r, NULL);
END $$;

-- Whether the row has a proof, as the current one or as an earlier one.
CREATE OR REPLACE FUNCTION duckgen_has(r duckgen_sessions, wanted bytea) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN wanted = r.proof OR wanted = ANY (coalesce(r.earlier_proof, '{}'));
END $$;

-- Whether the browser has what the live connection knew, or another token of the
-- same session.
CREATE OR REPLACE FUNCTION duckgen_redeems(r duckgen_sessions, redemption jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN coalesce(CASE
        WHEN r.ticket_saw IS NULL THEN NOT redemption ? 'live'
        ELSE redemption->'proofs' ? encode(r.ticket_saw, 'hex')
            OR duckgen_has(r, r.ticket_saw) AND duckgen_has(r, decode(redemption->'proofs'->>0, 'hex')) END, false);
END $$;

-- Applies a delta. The rules are those of
-- Record.Apply in package runtime. What a delta may hold is said where the store
-- writes it.
CREATE OR REPLACE FUNCTION duckgen_update(
    k_id uuid, k_proof bytea, k_family bytea, k_ticket boolean,
    k_now timestamptz, k_arrived timestamptz, k_held boolean, k_live boolean, k_late interval,
    d_deadline timestamptz, d_used timestamptz, d_active timestamptz, d jsonb,
    OUT verdict text, OUT field text, OUT won boolean, OUT current boolean, OUT replaced text[],
    OUT created timestamptz, OUT renewed timestamptz, OUT signed_in timestamptz,
    OUT used timestamptz, OUT deadline timestamptz, OUT expires timestamptz, OUT persistent boolean
) LANGUAGE plpgsql AS $$
DECLARE
    r        duckgen_sessions;
    before   duckgen_sessions;
    admitted record;
    renewal  record;
    changed  record;
    changes  boolean := d ?| '{set,add,remove,clear,count,equal,equal_count,absent,never}';
    active   timestamptz;
    last_end timestamptz;
BEGIN
    SELECT * INTO before FROM duckgen_sessions AS s WHERE s.id = k_id FOR NO KEY UPDATE;
    admitted := duckgen_admit(
        before, CASE WHEN d->'renew'->'kind' = '2' THEN 'to end' ELSE 'to write' END, k_proof, k_family, k_ticket, k_now, k_arrived, k_held);
    renewal := duckgen_renewal_of(before, d, admitted.place, k_ticket, k_now, k_arrived, admitted.verdict);
    verdict := renewal.verdict;
    IF verdict <> 'ok' THEN
        IF verdict = 'reused' THEN
            PERFORM duckgen_end(ARRAY[k_id], k_now);
        END IF;
        RETURN;
    END IF;
    won := renewal.kind IS NOT NULL;
    current := won OR duckgen_is_current(before, admitted.place);
    IF k_ticket AND NOT (won AND duckgen_redeems(before, d->'redeem')) THEN
        verdict := 'conflict';
        RETURN;
    END IF;
    r := before;
    IF changes THEN
        changed := duckgen_change(before, d);
        verdict := changed.verdict;
        field := changed.field;
        replaced := changed.replaced;
        r.data := changed.data;
        r.counters := changed.counters;
        r.indexed := changed.indexed;
        IF verdict <> 'ok' THEN
            RETURN;
        END IF;
    END IF;
    IF d ? 'index' AND duckgen_barred(k_id, k_now, k_arrived, r.kind, duckgen_texts(d->'index'), r.data) THEN
        verdict := 'ended';
        RETURN;
    END IF;
    IF admitted.place IS NOT NULL AND r.earlier_proof IS NOT NULL AND admitted.verdict = 'ok' AND NOT k_live AND NOT k_ticket THEN
        r.earlier_presented := duckgen_presented(r, admitted.place, k_now);
    END IF;
    IF won THEN
        r := duckgen_renew(r, renewal.kind, d->'renew', admitted.place, k_now);
        PERFORM duckgen_tell('renewed ' || k_id || ' ' || encode(r.proof, 'hex'));
    END IF;
    IF k_ticket OR won AND d ? 'ticket' THEN
        r := duckgen_set_ticket(r, CASE WHEN NOT k_ticket THEN d->'ticket' END);
        r.ticket_ends := r.ticket_ends + k_late;
        IF before.ticket_sole AND NOT k_ticket THEN -- the browser has got nothing since
            r.ticket_saw := before.ticket_saw;
            r.ticket_sole := true;
        END IF;
    END IF;
    r.deadline := coalesce(d_deadline + k_late, r.deadline);
    IF d ? 'idle' THEN
        r.idle := nullif((d->'idle')::bigint, 0) * interval '1 microsecond';
    END IF;
    IF d ? 'persistent' THEN
        r.persistent := (d->'persistent')::boolean;
    END IF;
    active := coalesce(d_used + r.idle, d_active) + k_late;
    IF active IS NOT NULL THEN
        r.used := greatest(r.used, d_used + k_late);
    END IF;
    last_end := least(r.deadline, CASE WHEN d ? 'idle' THEN active WHEN active IS NOT NULL THEN greatest(active, r.expires) END);
    IF r.ticket_sole THEN
        r.expires := least(last_end, r.ticket_ends);
    ELSIF before.ticket_sole OR d_deadline IS NOT NULL OR active IS NOT NULL OR d ? 'idle' THEN
        r.expires := last_end;
    END IF;
    UPDATE duckgen_sessions AS s SET
        data = CASE WHEN changes THEN r.data ELSE s.data END,
        counters = CASE WHEN changes THEN r.counters ELSE s.counters END,
        indexed = r.indexed, proof = r.proof, family = r.family,
        renewed = r.renewed, signed_in = r.signed_in, used = r.used, deadline = r.deadline, idle = r.idle, persistent = r.persistent,
        due = least(s.due, r.expires), expires = r.expires,
        earlier_proof = r.earlier_proof, earlier_ended = r.earlier_ended, earlier_by = r.earlier_by,
        earlier_presented = r.earlier_presented, earlier_grace = r.earlier_grace,
        ticket_proof = r.ticket_proof, ticket_ends = r.ticket_ends, ticket_saw = r.ticket_saw, ticket_sole = r.ticket_sole
    WHERE s.id = k_id;
    IF d ? 'index' OR r.indexed IS DISTINCT FROM before.indexed THEN
        PERFORM duckgen_reindex(r);
    END IF;
    created := r.created;
    renewed := r.renewed;
    signed_in := r.signed_in;
    used := r.used;
    persistent := r.persistent;
    deadline := r.deadline;
    expires := r.expires;
END $$;

-- Marks a value as revoked. Sign-ins that have not seen the mark are in the
-- index when this is done.
CREATE OR REPLACE FUNCTION duckgen_mark(
    of_kind text, field text, of_value jsonb, k_now timestamptz, except_ids uuid[]
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v bytea := duckgen_value(of_kind, field, of_value);
BEGIN
    PERFORM pg_advisory_xact_lock(duckgen_value_lock(v));
    INSERT INTO duckgen_revocations (value, at, excepted) VALUES (v, k_now, except_ids);
    DELETE FROM duckgen_revocations WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM duckgen_revocations WHERE at <= k_now - interval '24 hours' LIMIT 64 FOR UPDATE SKIP LOCKED));
END $$;

-- Whether the program could not read the row.
CREATE OR REPLACE FUNCTION duckgen_damaged(r duckgen_sessions) RETURNS boolean
LANGUAGE sql AS $$
    SELECT coalesce(
        jsonb_typeof(r.data) <> 'object' OR jsonb_typeof(r.counters) <> 'object'
        OR NOT (isfinite(r.created) AND isfinite(r.renewed) AND isfinite(r.deadline) AND isfinite(r.expires))
        OR 32 <> ANY (SELECT octet_length(proof) FROM unnest(r.earlier_proof || ARRAY[r.proof, r.ticket_proof, r.ticket_saw]) AS proof)
        OR octet_length(r.family) <> 8
        OR cardinality(r.earlier_proof) <> ALL (ARRAY[cardinality(r.earlier_ended), cardinality(r.earlier_by),
            cardinality(r.earlier_presented), cardinality(r.earlier_grace)]),
        false)
$$;

-- Ends some of the live sessions that carry a value, in the order of their ids,
-- and says where to go on: NULL at the end. Those that are damaged stay as they are,
-- and are named.
CREATE OR REPLACE FUNCTION duckgen_revoke(
    of_kind text, field text, of_value jsonb, k_now timestamptz, except_ids uuid[], from_id uuid, most integer,
    OUT revoked integer, OUT damaged uuid[], OUT next_id uuid
) LANGUAGE plpgsql AS $$
DECLARE
    v   bytea := duckgen_value(of_kind, field, of_value);
    ids uuid[] := ARRAY(SELECT id FROM duckgen_index WHERE value = v AND id >= from_id ORDER BY id LIMIT most + 1);
BEGIN
    next_id := ids[most + 1];
    ids := ids[1:most];
    PERFORM FROM duckgen_sessions WHERE id = ANY (ids) AND id <> ALL (except_ids) ORDER BY id FOR NO KEY UPDATE;
    -- Whoever had a lock may have ended the session, or signed in as somebody else.
    ids := ARRAY(
        SELECT s.id FROM duckgen_sessions AS s JOIN duckgen_index AS i ON i.value = v AND i.id = s.id
        WHERE s.id = ANY (ids) AND s.id <> ALL (except_ids) AND s.ended IS NULL AND s.expires > k_now);
    damaged := ARRAY(SELECT id FROM duckgen_sessions AS s WHERE id = ANY (ids) AND duckgen_damaged(s));
    ids := ARRAY(SELECT unnest(ids) EXCEPT SELECT unnest(damaged));
    PERFORM duckgen_end(ids, k_now);
    revoked := cardinality(ids);
END $$;

-- Ends the live sessions that carry one of the values but for some: the one to keep
-- and those used last. One at a time does that for the first value. Its lock is not
-- that of sign-ins, which hold a session when they wait for theirs.
CREATE OR REPLACE FUNCTION duckgen_trim(
    of_kind text, fields text[], of_values jsonb[], k_now timestamptz, most integer, keep uuid, OUT trimmed integer
) LANGUAGE plpgsql AS $$
DECLARE
    v   bytea[] := ARRAY(SELECT duckgen_value(of_kind, f, x) FROM unnest(fields, of_values) WITH ORDINALITY AS u (f, x, n) ORDER BY n);
    ids uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(encode(v[1], 'hex'), 1));
    ids := ARRAY(
        SELECT s.id FROM duckgen_sessions AS s
        WHERE s.id IN (SELECT i.id FROM duckgen_index AS i WHERE i.value = ANY (v)) AND s.ended IS NULL AND s.expires > k_now
        ORDER BY s.id = keep DESC, greatest(s.used, s.renewed) DESC, s.id OFFSET most);
    PERFORM FROM duckgen_sessions WHERE id = ANY (ids) ORDER BY id FOR NO KEY UPDATE;
    ids := ARRAY(
        SELECT s.id FROM duckgen_sessions AS s
        WHERE s.id = ANY (ids) AND s.ended IS NULL AND s.expires > k_now AND NOT duckgen_damaged(s)
            AND EXISTS (SELECT FROM duckgen_index AS i WHERE i.id = s.id AND i.value = ANY (v)));
    PERFORM duckgen_end(ids, k_now);
    trimmed := cardinality(ids);
END $$;

-- Ends some of the live sessions of a kind, in the order of their ids, and says where
-- to go on: NULL at the end.
CREATE OR REPLACE FUNCTION duckgen_revoke_all(
    of_kind text, k_now timestamptz, from_id uuid, most integer,
    OUT revoked integer, OUT damaged uuid[], OUT next_id uuid
) LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[] := ARRAY(
        SELECT id FROM duckgen_sessions WHERE id >= from_id AND kind = of_kind AND ended IS NULL ORDER BY id LIMIT most + 1);
BEGIN
    next_id := ids[most + 1];
    ids := ids[1:most];
    PERFORM FROM duckgen_sessions WHERE id = ANY (ids) ORDER BY id FOR NO KEY UPDATE;
    ids := ARRAY(SELECT id FROM duckgen_sessions WHERE id = ANY (ids) AND ended IS NULL AND expires > k_now);
    damaged := ARRAY(SELECT id FROM duckgen_sessions AS s WHERE id = ANY (ids) AND duckgen_damaged(s));
    ids := ARRAY(SELECT unnest(ids) EXCEPT SELECT unnest(damaged));
    PERFORM duckgen_end(ids, k_now);
    revoked := cardinality(ids);
END $$;

CREATE OR REPLACE FUNCTION duckgen_schema_version() RETURNS integer
LANGUAGE sql IMMUTABLE AS 'SELECT 10';

-- What the program calls finds nothing but what is here, whatever the search_path of
-- its connection: others may have made operators and functions that fit better.
DO $$
DECLARE
    called regprocedure;
BEGIN
    FOR called IN
        SELECT oid FROM pg_proc WHERE pronamespace = current_schema::regnamespace AND proname IN (
            'duckgen_create', 'duckgen_load', 'duckgen_update', 'duckgen_delete',
            'duckgen_mark', 'duckgen_revoke', 'duckgen_revoke_all', 'duckgen_trim', 'duckgen_sweep', 'duckgen_value')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', called, current_schema);
    END LOOP;
END $$;
