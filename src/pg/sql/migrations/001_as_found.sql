-- The tables, indexes, triggers and views that the attribution platform works with. An empty
-- database gets them; one that has them keeps its own, as long as the columns are those written
-- here: everything is created only where it is missing.

CREATE TABLE IF NOT EXISTS click_tracking (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    click_id VARCHAR(255) NOT NULL UNIQUE,
    fbclid VARCHAR(255),
    gclid VARCHAR(255),
    tenant_id VARCHAR(255) NOT NULL,
    campaign_id VARCHAR(255) NOT NULL,
    adset_id VARCHAR(255),
    ad_id VARCHAR(255) NOT NULL,
    creative_id VARCHAR(255),
    fingerprint_hash VARCHAR(64),
    fingerprint_components JSONB,
    ip_address INET,
    ip_country VARCHAR(2),
    ip_city VARCHAR(100),
    user_agent TEXT,
    device_type VARCHAR(50),
    os VARCHAR(50),
    os_version VARCHAR(50),
    browser VARCHAR(50),
    browser_version VARCHAR(50),
    screen_width INTEGER,
    screen_height INTEGER,
    viewport_width INTEGER,
    viewport_height INTEGER,
    timezone VARCHAR(100),
    timezone_offset INTEGER, -- minutes
    landing_page_url TEXT,
    referrer_url TEXT,
    utm_source VARCHAR(255),
    utm_medium VARCHAR(255),
    utm_campaign VARCHAR(255),
    utm_content VARCHAR(255),
    utm_term VARCHAR(255),
    click_timestamp TIMESTAMPTZ NOT NULL DEFAULT now(),
    expires_at TIMESTAMPTZ,
    is_valid BOOLEAN DEFAULT true,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS conversion_tracking (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    conversion_id VARCHAR(255) NOT NULL UNIQUE,
    external_id VARCHAR(255),
    tenant_id VARCHAR(255) NOT NULL,
    conversion_type VARCHAR(100) NOT NULL,
    conversion_value NUMERIC(10,2),
    is_synthetic BOOLEAN DEFAULT false,
    crm_deal_id VARCHAR(255),
    crm_contact_id VARCHAR(255),
    crm_stage VARCHAR(100),
    attributed_click_id UUID REFERENCES click_tracking (id),
    attribution_method VARCHAR(50),
    attribution_confidence NUMERIC(5,4),
    attribution_window_hours INTEGER,
    conversion_fingerprint_hash VARCHAR(64),
    fingerprint_match_score NUMERIC(5,4),
    probabilistic_candidates JSONB,
    ip_address INET,
    user_agent TEXT,
    device_type VARCHAR(50),
    conversion_timestamp TIMESTAMPTZ NOT NULL,
    attributed_at TIMESTAMPTZ,
    raw_data JSONB,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS attribution_performance_log (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id VARCHAR(255) NOT NULL,
    conversion_id VARCHAR(255) NOT NULL,
    attempt_number INTEGER NOT NULL DEFAULT 1,
    layer_1_result VARCHAR(50),
    layer_2_result VARCHAR(50),
    layer_3_result VARCHAR(50),
    final_method VARCHAR(50),
    final_confidence NUMERIC(5,4),
    success BOOLEAN NOT NULL,
    processing_time_ms INTEGER,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- A table that was here before must be the one meant. Further columns of its own do no harm, nor do
-- other lengths, or TEXT for VARCHAR; but what `batch` writes must keep its four decimals.
DO $$
DECLARE
    faults TEXT[];
BEGIN
    SELECT array_agg(format('%s.%s is %s', e.table_name, e.column_name,
                            coalesce(format_type(a.atttypid, a.atttypmod) || ', not '
                                     || e.type_name, 'missing')))
    INTO faults
    FROM (SELECT t.table_name, split_part(c, ' ', 1) AS column_name,
                 substr(c, strpos(c, ' ') + 1) AS type_name
          FROM (VALUES
              ('click_tracking',
               'id uuid; click_id character varying(255); fbclid character varying(255); '
               'gclid character varying(255); tenant_id character varying(255); '
               'campaign_id character varying(255); adset_id character varying(255); '
               'ad_id character varying(255); creative_id character varying(255); '
               'fingerprint_hash character varying(64); fingerprint_components jsonb; '
               'ip_address inet; ip_country character varying(2); '
               'ip_city character varying(100); user_agent text; '
               'device_type character varying(50); os character varying(50); '
               'os_version character varying(50); browser character varying(50); '
               'browser_version character varying(50); screen_width integer; '
               'screen_height integer; viewport_width integer; viewport_height integer; '
               'timezone character varying(100); timezone_offset integer; '
               'landing_page_url text; referrer_url text; utm_source character varying(255); '
               'utm_medium character varying(255); utm_campaign character varying(255); '
               'utm_content character varying(255); utm_term character varying(255); '
               'click_timestamp timestamp with time zone; expires_at timestamp with time zone; '
               'is_valid boolean; created_at timestamp with time zone'),
              ('conversion_tracking',
               'id uuid; conversion_id character varying(255); '
               'external_id character varying(255); tenant_id character varying(255); '
               'conversion_type character varying(100); conversion_value numeric(10,2); '
               'is_synthetic boolean; crm_deal_id character varying(255); '
               'crm_contact_id character varying(255); crm_stage character varying(100); '
               'attributed_click_id uuid; attribution_method character varying(50); '
               'attribution_confidence numeric(5,4); attribution_window_hours integer; '
               'conversion_fingerprint_hash character varying(64); '
               'fingerprint_match_score numeric(5,4); probabilistic_candidates jsonb; '
               'ip_address inet; user_agent text; device_type character varying(50); '
               'conversion_timestamp timestamp with time zone; '
               'attributed_at timestamp with time zone; raw_data jsonb; '
               'created_at timestamp with time zone; updated_at timestamp with time zone'),
              ('attribution_performance_log',
               'id uuid; tenant_id character varying(255); '
               'conversion_id character varying(255); attempt_number integer; '
               'layer_1_result character varying(50); layer_2_result character varying(50); '
               'layer_3_result character varying(50); final_method character varying(50); '
               'final_confidence numeric(5,4); success boolean; processing_time_ms integer; '
               'created_at timestamp with time zone')
          ) AS t (table_name, columns), regexp_split_to_table(t.columns, '; ') AS c) AS e
    LEFT JOIN pg_attribute a ON a.attrelid = to_regclass(e.table_name)
        AND a.attname = e.column_name AND NOT a.attisdropped
    WHERE CASE WHEN e.type_name = 'numeric(5,4)' THEN format_type(a.atttypid, a.atttypmod)
               ELSE replace(format_type(a.atttypid, NULL), 'character varying', 'text') END
        IS DISTINCT FROM
          CASE WHEN e.type_name = 'numeric(5,4)' THEN e.type_name
               ELSE replace(regexp_replace(e.type_name, '\(.*\)', ''), 'character varying', 'text')
          END;
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'the tables found differ in % columns: %', cardinality(faults),
            array_to_string(faults[:4], '; ')
            USING HINT = 'change those columns, or give another --schema';
    END IF;
END
$$;

CREATE INDEX IF NOT EXISTS idx_click_tracking_click_id ON click_tracking (click_id);
CREATE INDEX IF NOT EXISTS idx_click_tracking_tenant_id ON click_tracking (tenant_id);
CREATE INDEX IF NOT EXISTS idx_click_tracking_ad_id ON click_tracking (ad_id);
CREATE INDEX IF NOT EXISTS idx_click_tracking_timestamp ON click_tracking (click_timestamp DESC);
CREATE INDEX IF NOT EXISTS idx_click_tracking_fbclid ON click_tracking (fbclid)
    WHERE fbclid IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_click_tracking_fingerprint ON click_tracking (fingerprint_hash)
    WHERE fingerprint_hash IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_click_tracking_expires_at ON click_tracking (expires_at)
    WHERE is_valid;
CREATE INDEX IF NOT EXISTS idx_click_tracking_fingerprint_match
    ON click_tracking (fingerprint_hash, click_timestamp DESC)
    WHERE fingerprint_hash IS NOT NULL AND is_valid;
CREATE INDEX IF NOT EXISTS idx_click_tracking_probabilistic
    ON click_tracking (ip_address, device_type, click_timestamp DESC)
    WHERE is_valid;

CREATE INDEX IF NOT EXISTS idx_conversion_tracking_conversion_id
    ON conversion_tracking (conversion_id);
CREATE INDEX IF NOT EXISTS idx_conversion_tracking_tenant_id ON conversion_tracking (tenant_id);
CREATE INDEX IF NOT EXISTS idx_conversion_tracking_timestamp
    ON conversion_tracking (conversion_timestamp DESC);
CREATE INDEX IF NOT EXISTS idx_conversion_tracking_method
    ON conversion_tracking (attribution_method);
CREATE INDEX IF NOT EXISTS idx_conversion_tracking_click_id
    ON conversion_tracking (attributed_click_id);
CREATE INDEX IF NOT EXISTS idx_conversion_tracking_external_id
    ON conversion_tracking (external_id) WHERE external_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_conversion_tracking_crm_deal
    ON conversion_tracking (crm_deal_id) WHERE crm_deal_id IS NOT NULL;

CREATE INDEX IF NOT EXISTS idx_attribution_perf_tenant_id
    ON attribution_performance_log (tenant_id);
CREATE INDEX IF NOT EXISTS idx_attribution_perf_success ON attribution_performance_log (success);
CREATE INDEX IF NOT EXISTS idx_attribution_perf_created_at
    ON attribution_performance_log (created_at DESC);

-- A table that came with a trigger for the purpose keeps it, whatever it is called.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
                   WHERE t.tgrelid = 'click_tracking'::regclass AND NOT t.tgisinternal
                       AND p.prosrc ~* 'expires_at') THEN
        CREATE OR REPLACE FUNCTION set_click_expires_at() RETURNS trigger LANGUAGE plpgsql AS $body$
        BEGIN
            NEW.expires_at := coalesce(NEW.expires_at, NEW.click_timestamp + INTERVAL '168 hours');
            RETURN NEW;
        END
        $body$;
        CREATE TRIGGER set_click_expires_at BEFORE INSERT ON click_tracking
            FOR EACH ROW EXECUTE FUNCTION set_click_expires_at();
    END IF;
    IF NOT EXISTS (SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
                   WHERE t.tgrelid = 'conversion_tracking'::regclass AND NOT t.tgisinternal
                       AND p.prosrc ~* 'updated_at') THEN
        CREATE OR REPLACE FUNCTION set_conversion_updated_at() RETURNS trigger
            LANGUAGE plpgsql AS $body$
        BEGIN
            NEW.updated_at := now();
            RETURN NEW;
        END
        $body$;
        CREATE TRIGGER set_conversion_updated_at BEFORE UPDATE ON conversion_tracking
            FOR EACH ROW EXECUTE FUNCTION set_conversion_updated_at();
    END IF;
END
$$;

-- Views that are there are left as they are: others may rely on each of their columns.
DO $$
BEGIN
    IF to_regclass('v_attribution_recovery_rate') IS NULL THEN
        CREATE VIEW v_attribution_recovery_rate AS
        SELECT date_trunc('day', created_at) AS date,
               tenant_id,
               count(*) AS total_conversions,
               count(*) FILTER (WHERE success) AS attributed_conversions,
               round(100.0 * count(*) FILTER (WHERE success) / count(*), 2) AS recovery_rate_pct,
               count(*) FILTER (WHERE layer_1_result = 'success') AS layer_1_count,
               count(*) FILTER (WHERE layer_2_result = 'success') AS layer_2_count,
               count(*) FILTER (WHERE layer_3_result = 'success') AS layer_3_count,
               avg(final_confidence) AS avg_confidence,
               avg(processing_time_ms) AS avg_processing_ms
        FROM attribution_performance_log
        GROUP BY 1, 2;
    END IF;
    IF to_regclass('v_active_clicks') IS NULL THEN
        CREATE VIEW v_active_clicks AS
        SELECT id, click_id, tenant_id, campaign_id, adset_id, ad_id, creative_id,
               fingerprint_hash, device_type, click_timestamp, expires_at,
               extract(epoch FROM expires_at - now()) / 3600 AS hours_until_expiration
        FROM click_tracking
        WHERE is_valid AND expires_at > now();
    END IF;
    IF to_regclass('v_conversion_attribution_summary') IS NULL THEN
        CREATE VIEW v_conversion_attribution_summary AS
        SELECT tenant_id, conversion_type, attribution_method,
               count(*) AS conversion_count,
               sum(conversion_value) AS total_value,
               avg(attribution_confidence) AS avg_confidence,
               avg(attribution_window_hours) AS avg_attribution_hours,
               min(conversion_timestamp) AS first_conversion,
               max(conversion_timestamp) AS last_conversion
        FROM conversion_tracking
        WHERE conversion_timestamp > now() - INTERVAL '30 days'
        GROUP BY tenant_id, conversion_type, attribution_method;
    END IF;
    IF to_regclass('v_unattributed_conversions') IS NULL THEN
        CREATE VIEW v_unattributed_conversions AS
        SELECT id, conversion_id, tenant_id, conversion_type, conversion_value,
               conversion_fingerprint_hash, ip_address, device_type, conversion_timestamp,
               created_at
        FROM conversion_tracking
        WHERE attribution_method IS NULL OR attribution_method = 'unattributed';
    END IF;
END
$$;
