"""What tenants, readers and the engine do at random: each act is a text of SQL, or a run of the
program. `others` are tenants that the actor must not see."""

import json
import os
import subprocess

import server

TENANTS = ["t-anna", "t-bert", "t-cleo"]
LOGINS = dict(zip(TENANTS, ["anna", "bert", "cleo"]))
TABLES = ["click_tracking", "conversion_tracking", "attribution_performance_log", "dead_events",
          "v_attribution_recovery_rate", "v_active_clicks", "v_conversion_attribution_summary",
          "v_unattributed_conversions"]
BATCH = ["batch", "--recovery-target", "0", "--from", "2020-01-01", "--to", "2100-01-01"]
# All rows are of the last days, but a few dead events are old.
PURGES = [["--older-than", "3000d"], ["--older-than", "30d"],
          ["--older-than", "30d", "--dry-run"]]
WITH_CLICKS = ["click_tracking", "v_active_clicks"]


def shared_id(rng):
    """Click ids that say nothing of whose they are, so that anyone may name them."""
    return "shared-%d" % rng.randrange(60)


def new_click(rng, tenant, secret):
    """A row of keys that all tenants share, and of names that tell whose it is."""
    click_id = shared_id(rng) if rng.random() < 0.3 else "k-%s-%d" % (secret, rng.getrandbits(40))
    return ("INSERT INTO click_tracking (click_id, tenant_id, campaign_id, ad_id, fbclid, "
            "fingerprint_hash, ip_address, device_type, user_agent, click_timestamp) VALUES "
            "('%s', '%s', 'c-%s', 'a-%s', 'fb-%d', repeat('%x', 64), '203.0.113.%d', 'mobile', "
            "'agent', now() - interval '%d minutes')" %
            (click_id, tenant, secret, secret, rng.randrange(20), 1 + rng.randrange(15),
             1 + rng.randrange(5), 1 + rng.randrange(3000)))


def new_conversion(rng, tenant, secret):
    return ("INSERT INTO conversion_tracking (conversion_id, tenant_id, conversion_type, "
            "conversion_timestamp, click_id, fbclid, conversion_fingerprint_hash, ip_address, "
            "device_type, crm_stage) VALUES ('v-%s-%d', '%s', 'lead', now(), %s, %s, %s, "
            "'203.0.113.%d', 'mobile', 's-%s')" %
            (secret, rng.getrandbits(40), tenant,
             rng.choice(["NULL", "'%s'" % shared_id(rng)]),
             rng.choice(["NULL", "'fb-%d'" % rng.randrange(20)]),
             rng.choice(["NULL", "repeat('%x', 64)" % (1 + rng.randrange(15))]),
             1 + rng.randrange(5), secret))


def read(rng):
    table = rng.choice(TABLES)
    clicks = rng.choice(WITH_CLICKS)
    return rng.choice([
        "SELECT * FROM %s" % table,
        "SELECT tenant_id, count(*) FROM %s GROUP BY 1" % table,
        "SELECT to_jsonb(t) FROM %s t ORDER BY random() LIMIT 5" % table,
        "SELECT * FROM %s WHERE tenant_id = '%s'" % (table, rng.choice(TENANTS)),
        "SELECT * FROM %s WHERE click_id = '%s'" % (clicks, shared_id(rng)),
        "SELECT max(click_id), min(campaign_id) FROM %s" % clicks,
        "COPY (SELECT * FROM %s) TO STDOUT" % table,
        "SELECT k.*, c.* FROM click_tracking k FULL JOIN conversion_tracking c "
        "ON c.attributed_click_id = k.id",
        "WITH RECURSIVE r AS (SELECT * FROM %s) SELECT * FROM r" % table,
        "EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM %s WHERE tell(tenant_id)" % table,
        "SELECT * FROM %s WHERE tell(%s::text)" % (clicks, "campaign_id"),
        "SELECT * FROM %s WHERE tell(t::text)" % (table + " t"),
        "SELECT campaign_id::int FROM %s" % clicks,
        "SELECT * FROM %s ORDER BY 1 LIMIT 3 FOR UPDATE" % "click_tracking",
        "SELECT * FROM tenants",
        "SELECT * FROM attribution_recompute_jobs",
        "SELECT most_common_vals, histogram_bounds FROM pg_stats WHERE tablename = '%s'" % table,
        "BEGIN; DECLARE c CURSOR FOR SELECT * FROM %s; FETCH 4 FROM c; ROLLBACK" % table,
    ])


def trick(rng, others):
    other = rng.choice(others)
    return rng.choice([
        "SET app.current_tenant_id = '%s'" % other,
        "BEGIN; SET LOCAL app.current_tenant_id = '%s'; %s; COMMIT" % (other, read(rng)),
        "SET ROLE %s; %s; RESET ROLE" % (LOGINS[other], read(rng)),
        "SET SESSION AUTHORIZATION %s" % LOGINS[other],
        "SET ROLE clickmatch_engine; %s; RESET ROLE" % read(rng),
        "SET ROLE clickmatch_tenant; %s; RESET ROLE" % read(rng),
        "SET row_security = off; %s; SET row_security = on" % read(rng),
        "BEGIN; CREATE TEMP VIEW v AS SELECT * FROM click_tracking; SELECT * FROM v; ROLLBACK",
        "BEGIN; CREATE TEMP TABLE tenant_logins AS SELECT session_user AS login, '%s'::text AS "
        "tenant_id; SET LOCAL search_path = pg_temp, public; %s; ROLLBACK" % (other, read(rng)),
        "INSERT INTO tenant_logins VALUES (session_user, '%s') ON CONFLICT (login) DO UPDATE "
        "SET tenant_id = excluded.tenant_id" % other,
        "ALTER TABLE click_tracking DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant_isolation_policy ON click_tracking",
        "CREATE POLICY mine ON click_tracking USING (true)",
    ])


def write(rng, mine, others, secret):
    """By a tenant's login that may write. What is another's must stay as it is."""
    other = rng.choice(others)
    return rng.choice([
        new_click(rng, mine, secret),
        new_conversion(rng, mine, secret),
        new_click(rng, other, secret),
        new_conversion(rng, other, secret),
        new_click(rng, mine, secret) + " ON CONFLICT (click_id) DO UPDATE SET ad_id = 'a-%s' "
        "RETURNING *" % secret,
        "UPDATE click_tracking SET ad_id = 'a-%s' WHERE click_id = '%s' RETURNING *" %
        (secret, shared_id(rng)),
        "UPDATE click_tracking SET is_valid = NOT is_valid WHERE tenant_id = '%s' RETURNING *" %
        other,
        "UPDATE click_tracking SET tenant_id = '%s' WHERE click_id = '%s'" %
        (other, shared_id(rng)),
        "UPDATE conversion_tracking SET crm_stage = 's-%s' RETURNING *" % secret,
        "UPDATE conversion_tracking c SET crm_stage = k.campaign_id FROM click_tracking k "
        "WHERE k.fbclid = c.fbclid",
        "DELETE FROM conversion_tracking WHERE random() < 0.05 RETURNING *",
        "DELETE FROM click_tracking WHERE click_id = '%s' RETURNING *" % shared_id(rng),
        "DELETE FROM click_tracking WHERE tenant_id = '%s'" % other,
        "MERGE INTO click_tracking k USING (VALUES ('%s')) AS v (id) ON k.click_id = v.id "
        "WHEN MATCHED THEN UPDATE SET ad_id = 'a-%s'" % (shared_id(rng), secret),
        "TRUNCATE click_tracking CASCADE",
    ])


def event(rng, tenant, secret):
    kind = rng.choice(["click", "conversion"])
    fields = {"event": kind, "tenant_id": tenant, "ip_address": "203.0.113.%d" % rng.randrange(9),
              "device_type": "mobile", "fbclid": "fb-%d" % rng.randrange(20),
              kind + "_timestamp": rng.randrange(1700000000000, 1700001000000)}
    if kind == "click":
        own_id = "e-%s-%d" % (secret, rng.getrandbits(30))
        fields.update(click_id=rng.choice([shared_id(rng), own_id]),
                      campaign_id="c-" + secret, ad_id="a-" + secret)
    else:
        fields.update(conversion_id="v-%s-%d" % (secret, rng.getrandbits(40)),
                      conversion_type="lead", click_id=shared_id(rng))
    return json.dumps(fields)


def run_program(program, database, command, text=""):
    """(exit status, all that was said)"""
    done = subprocess.run(
        [program, *command, "--db", "dbname=%s user=%s" % (database, server.ENGINE), "--quiet"],
        input=text, capture_output=True, text=True, env=dict(os.environ, PGOPTIONS=""))
    return done.returncode, done.stdout + done.stderr


def run_engine(rng, program, database, secrets):
    """(what was run, for whom alone it may speak or None, its exit status and output)"""
    tenant = rng.choice(TENANTS)
    kind = rng.choice(["batch", "batch", "explain", "stream", "purge", "retry"])
    only, text = tenant, ""
    if kind == "batch":
        only = rng.choice([None, tenant])
        command = BATCH + (["--tenant", only] if only else [])
    elif kind == "explain":
        ids = server.psql(database, "-c", "SELECT conversion_id FROM conversion_tracking WHERE "
                          "tenant_id = '%s' ORDER BY random() LIMIT 1" % tenant).split()
        command = ["explain", *(ids or ["none"]), "--tenant", tenant]
    elif kind == "purge":
        command = ["purge", *rng.choice(PURGES), "--tenant", tenant]
    elif kind == "retry":
        only = rng.choice([None, tenant])
        command = ["retry", *rng.choice([[], ["--list"]]), *(["--tenant", only] if only else [])]
    else:
        command = ["stream", "--sink", "db", "--sink", "stdout", "--store-clicks",
                   "--stream-name", "s-%d" % rng.getrandbits(30), "--recovery-target", "0"]
        text = "\n".join(event(rng, tenant, secrets[tenant]) for _ in range(8)) + "\n"
    return (kind, only, *run_program(program, database, command, text))
