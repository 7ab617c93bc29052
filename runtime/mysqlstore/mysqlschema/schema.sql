-- The tables of sessions of duckgen, for MySQL 8 and MariaDB 10.11 and later. Running
-- this again changes nothing. All names begin with duckgen_. Times are UTC.

CREATE TABLE IF NOT EXISTS duckgen_schema (
    version INT PRIMARY KEY
) ENGINE = InnoDB;

-- One row is one session. A row that has ended is only the mark of it.
CREATE TABLE IF NOT EXISTS duckgen_sessions (
    id         BINARY(16) PRIMARY KEY,
    kind       VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    proof      BINARY(32) NOT NULL,
    family     BINARY(8) NOT NULL,
    data       JSON NOT NULL,        -- an object with a member for each entry
    kinds      JSON NOT NULL,        -- what is not plain of them: 1 is indexed, 2 is a counter
    created    DATETIME(6) NOT NULL,
    renewed    DATETIME(6) NOT NULL,
    signed_in  DATETIME(6),
    used       DATETIME(6),          -- the last recorded activity besides renewals
    deadline   DATETIME(6),
    expires    DATETIME(6) NOT NULL,
    due        DATETIME(6) NOT NULL, -- when to look whether it has expired, at most expires: activity does not move it
    ended      DATETIME(6),
    idle       BIGINT,               -- the session's own idle limit in microseconds, NULL: the configured one
    persistent BOOLEAN,              -- whether its cookie outlives the browser, NULL: as configured
    tokens     JSON,                 -- the earlier tokens, newest first, and the ticket; NULL: none
    version    BIGINT NOT NULL,      -- another one after each change of anything but data, kinds and due
    KEY duckgen_sessions_due (due)
) ENGINE = InnoDB;

-- Which sessions carry an indexed value, named by its SHA-256.
CREATE TABLE IF NOT EXISTS duckgen_index (
    value BINARY(32) NOT NULL,
    id    BINARY(16) NOT NULL,
    PRIMARY KEY (value, id),
    KEY duckgen_index_id (id),
    CONSTRAINT duckgen_index_session FOREIGN KEY (id) REFERENCES duckgen_sessions (id) ON DELETE CASCADE
) ENGINE = InnoDB;

-- Values that were revoked within the last day, and the ids that were spared, one
-- behind the other.
CREATE TABLE IF NOT EXISTS duckgen_revocations (
    number   BIGINT AUTO_INCREMENT PRIMARY KEY,
    value    BINARY(32) NOT NULL,
    at       DATETIME(6) NOT NULL,
    excepted BLOB NOT NULL,
    KEY duckgen_revocations_value (value),
    KEY duckgen_revocations_at (at)
) ENGINE = InnoDB;

-- What happened to sessions within the last minute, for those who watch.
CREATE TABLE IF NOT EXISTS duckgen_changes (
    number BIGINT AUTO_INCREMENT PRIMARY KEY,
    at     DATETIME(6) NOT NULL,
    kind   TINYINT NOT NULL, -- 0: ended, 1: renewed, 2: expires earlier
    id     BINARY(16) NOT NULL,
    proof  BINARY(32) NOT NULL,
    KEY duckgen_changes_at (at)
) ENGINE = InnoDB;

INSERT IGNORE INTO duckgen_schema (version) VALUES (1);
