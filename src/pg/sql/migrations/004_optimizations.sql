-- What `migrate --optimize` did to the platform's tables, and what undoes it.
CREATE TABLE clickmatch_optimizations (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    statement TEXT NOT NULL,
    undo TEXT NOT NULL, -- SQL that brings back what was there
    applied_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_by VARCHAR(255) NOT NULL DEFAULT session_user
);
