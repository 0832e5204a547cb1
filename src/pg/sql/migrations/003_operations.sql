-- What the product keeps beside clicks and conversions.

CREATE TABLE tenants (
    tenant_id VARCHAR(255) PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    api_key_hash VARCHAR(64) UNIQUE,
    notification_email VARCHAR(255),
    is_active BOOLEAN NOT NULL DEFAULT true,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- One row per job; a recompute of the same tenants, window and model is the same job again.
CREATE TABLE attribution_recompute_jobs (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_ids TEXT[] NOT NULL, -- sorted; empty: all tenants
    window_start TIMESTAMPTZ NOT NULL,
    window_end TIMESTAMPTZ NOT NULL,
    model TEXT NOT NULL, -- name@version
    status VARCHAR(20) NOT NULL CHECK (status IN ('running', 'succeeded', 'failed')),
    run_count INTEGER NOT NULL DEFAULT 1 CHECK (run_count > 0),
    started_by VARCHAR(255),
    started_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    finished_at TIMESTAMPTZ,
    -- Of the last run that succeeded:
    clicks_read BIGINT,
    conversions_read BIGINT,
    rows_rejected BIGINT,
    conversions_attributed BIGINT,
    conversions_changed BIGINT,
    clicks_vanished BIGINT, -- conversions left as they were: their click was deleted meanwhile
    error TEXT,             -- of the last run, where it failed
    UNIQUE (tenant_ids, window_start, window_end, model),
    CHECK (window_start < window_end)
);

-- Rejected rows and events, to be put right and fed in again. They hold personal data.
CREATE TABLE dead_events (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id VARCHAR(255), -- NULL where the event did not say
    source VARCHAR(50) NOT NULL,
    event_type VARCHAR(50) NOT NULL,
    error_type VARCHAR(100) NOT NULL,
    error_message TEXT NOT NULL,
    payload JSONB,
    retry_count INTEGER NOT NULL DEFAULT 0 CHECK (retry_count >= 0),
    last_retry_at TIMESTAMPTZ,
    remediation_status VARCHAR(20) NOT NULL DEFAULT 'pending'
        CHECK (remediation_status IN ('pending', 'in_progress', 'resolved', 'ignored')),
    remediation_notes TEXT,
    resolved_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE INDEX idx_dead_events_remediation ON dead_events (remediation_status, created_at DESC);
-- A row of a table is a dead event once, however often `batch` comes across it.
CREATE UNIQUE INDEX idx_dead_events_batch_row ON dead_events (event_type, (payload ->> 'id'))
    WHERE source = 'batch';

-- How far a stream has got: the events that are settled, counted from the input's start.
CREATE TABLE stream_positions (
    stream_name VARCHAR(255) PRIMARY KEY,
    position BIGINT NOT NULL CHECK (position >= 0),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE model_registry (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    model_name VARCHAR(255) NOT NULL,
    version VARCHAR(255) NOT NULL,
    artifact_path TEXT,
    artifact JSONB,
    training_metrics JSONB,
    is_champion BOOLEAN NOT NULL DEFAULT false,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    promoted_at TIMESTAMPTZ,
    UNIQUE (model_name, version)
);
CREATE UNIQUE INDEX idx_model_registry_champion ON model_registry (model_name) WHERE is_champion;

CREATE TABLE model_promotions (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    model_name VARCHAR(255) NOT NULL,
    action VARCHAR(20) NOT NULL CHECK (action IN ('promote', 'rollback')),
    from_version VARCHAR(255), -- NULL where there was no champion
    to_version VARCHAR(255) NOT NULL,
    actor VARCHAR(255) NOT NULL,
    reason TEXT,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    FOREIGN KEY (model_name, from_version) REFERENCES model_registry (model_name, version),
    FOREIGN KEY (model_name, to_version) REFERENCES model_registry (model_name, version)
);
CREATE INDEX idx_model_promotions_model ON model_promotions (model_name, created_at DESC);
