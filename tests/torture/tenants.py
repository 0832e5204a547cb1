#!/usr/bin/env python3
"""Several tenants and roles at once, in a new database and in an adopted one that is enforced half
way: no row of another tenant is seen, matched or written.

    tenants.py [--count N] [--seed N] [--program FILE]

All tenants use the same keys (ids, fingerprints, addresses); what tells them apart is a secret in
each row's names. No output of a tenant's session may hold another's. A trigger notes whose rows
each login writes. Fails, with the seed, at what should not be.
"""

import argparse
import collections
import os
import random
import subprocess
import sys
import threading

import server
import tenant_acts as acts

SETUP = """
CREATE TABLE audit (who NAME, old_tenant TEXT, new_tenant TEXT);
CREATE FUNCTION note_write() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO audit VALUES (session_user, to_jsonb(OLD) ->> 'tenant_id',
                              to_jsonb(NEW) ->> 'tenant_id');
    RETURN NULL;
END $$;
ALTER FUNCTION note_write() OWNER TO postgres;
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON click_tracking
    FOR EACH ROW EXECUTE FUNCTION note_write();
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON conversion_tracking
    FOR EACH ROW EXECUTE FUNCTION note_write();
CREATE FUNCTION tell(t TEXT) RETURNS BOOLEAN LANGUAGE plpgsql COST 0.0000001 AS
    $$ BEGIN RAISE WARNING 'saw %', t; RETURN true; END $$;
GRANT INSERT, UPDATE, DELETE ON click_tracking, conversion_tracking TO anna, bert, cleo;
INSERT INTO tenant_logins VALUES ('anna', 't-anna'), ('bert', 't-bert'), ('cleo', 't-cleo');
INSERT INTO tenants (tenant_id, name) VALUES ('t-anna', 'x'), ('t-bert', 'x'), ('t-cleo', 'x');
"""

# Rows that are matched across tenants, or writes in another's name, or by who may not.
FOREIGN = """
SELECT count(*) FILTER (WHERE k.tenant_id <> c.tenant_id), count(k.id)
FROM conversion_tracking c LEFT JOIN click_tracking k ON k.id = c.attributed_click_id;
SELECT count(*) FROM conversion_tracking c, jsonb_array_elements(c.probabilistic_candidates) e
JOIN click_tracking k ON k.click_id = e ->> 'click_id' WHERE k.tenant_id <> c.tenant_id;
SELECT count(*) FILTER (WHERE l.tenant_id <> coalesce(old_tenant, new_tenant)
                            OR l.tenant_id <> coalesce(new_tenant, old_tenant)
                            OR who = 'pool'), count(*)
FROM audit a LEFT JOIN tenant_logins l ON l.login = a.who WHERE who NOT IN ('engine', 'postgres');
"""


# What purge may write.
ROWS = " UNION ALL ".join(
    "SELECT md5(string_agg(t::text, ';' ORDER BY t::text)) FROM %s t" % table for table in
    ("click_tracking", "conversion_tracking", "dead_events"))


class Session:
    """One login's psql, alive for all that it does."""

    MARK = "--done--"

    def __init__(self, database, login):
        self.psql = subprocess.Popen(
            ["psql", "-XAtq", "-d", database, "-U", login], text=True, errors="replace",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, sql):
        self.psql.stdin.write("%s;\nROLLBACK;\n\\echo %s\n" % (sql, self.MARK))
        self.psql.stdin.flush()
        return "".join(iter(self.psql.stdout.readline, self.MARK + "\n"))

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()


class World:
    """A database, the secrets of its tenants, and what happened."""

    def __init__(self, name, program, seed):
        self.name, self.program = name, program
        rng = random.Random("%s %d" % (name, seed))
        self.secrets = {tenant: "%016x" % rng.getrandbits(64) for tenant in acts.TENANTS}
        self.counts = collections.Counter()
        self.faults = []
        self.lock = threading.Lock()

    def migrate(self, *options):
        subprocess.run([self.program, "migrate", "--quiet", "--db",
                        "dbname=%s user=platform" % self.name, *options], check=True)

    def note(self, kind, said, allowed, act):
        """Nobody but the allowed tenants may be in what was said."""
        seen = [tenant for tenant, secret in self.secrets.items() if secret in said]
        with self.lock:
            self.counts[kind] += 1
            self.counts["refused"] += "permission denied" in said or "row-level sec" in said
            self.counts["seen"] += bool(seen)
            for tenant in seen:
                if tenant not in allowed:
                    self.faults.append("%s of %s saw %s: %s" % (kind, self.name, tenant, act))


def tenants_work(world, tenant, count, rng):
    session = Session(world.name, acts.LOGINS[tenant])
    others = [other for other in acts.TENANTS if other != tenant]
    for _ in range(count):
        act = rng.choice([
            lambda: acts.read(rng), lambda: acts.trick(rng, others),
            lambda: acts.write(rng, tenant, others, world.secrets[tenant])])()
        world.note("tenant", session.run(act), [tenant], act)
    session.close()


def readers_work(world, count, rng):
    session = Session(world.name, "pool")
    for _ in range(count):
        act, tenant = acts.read(rng), rng.choice(acts.TENANTS)
        if rng.random() < 0.3:
            world.note("reader", session.run("RESET app.current_tenant_id; " + act), [], act)
        else:
            act = "SET app.current_tenant_id = '%s'; %s" % (tenant, act)
            world.note("reader", session.run(act), [tenant], act)
    session.close()


def is_good(kind, status, said):
    """May it end so beside all others? A tenant may have deleted what explain is asked for."""
    if kind == "explain" and status == 1:
        return "' is not in " in said
    return status == 0 or (status == 4 and ("deadlock" in said or "another run" in said))


def engines_work(world, count, rng):
    for _ in range(count):
        kind, only, status, said = acts.run_engine(rng, world.program, world.name, world.secrets)
        world.note(kind, said, [only], kind)
        if not is_good(kind, status, said):
            world.faults.append("%s ended with status %d: %s" % (kind, status, said[:300]))


def owners_work(world, count, rng):
    """Of an adopted database: all rows until half of it is done, then none."""
    session = Session(world.name, "platform")
    for at in range(count):
        if at == count // 2:
            world.migrate("--enforce-tenants")
        is_before = at < count // 2 and world.name == "adopted"
        act = acts.read(rng)
        allowed = acts.TENANTS if is_before else []
        if "v_" in act and at < count // 2:
            allowed = acts.TENANTS
        world.note("owner", session.run(act), allowed, act)
    session.close()


def work(world, count, seed):
    shares = [(tenants_work, tenant, 0.24) for tenant in acts.TENANTS]
    shares += [(readers_work, None, 0.2), (owners_work, None, 0.06), (engines_work, None, 0.02)]
    threads = []
    for number, (function, tenant, share) in enumerate(shares):
        rng = random.Random("%s %d %d" % (world.name, seed, number))
        arguments = [world] + ([tenant] if tenant else []) + [max(1, round(count * share)), rng]
        threads.append(threading.Thread(target=function, args=arguments))
    for thread in threads:
        thread.start()
    return threads


def make(world):
    server.psql("template1", "-c", "CREATE DATABASE \"%s\" OWNER platform" % world.name)
    if world.name == "adopted":
        server.psql(world.name, "-U", "platform", "-f",
                    os.path.join(server.ROOT, "src/pg/sql/bench/as_found.sql"))
    world.migrate()
    server.psql(world.name, text=SETUP)
    rng = random.Random(world.name)
    server.psql(world.name, text=";\n".join(
        make_row(rng, tenant, world.secrets[tenant]) + " ON CONFLICT DO NOTHING"
        for make_row in [acts.new_click, acts.new_conversion]
        for tenant in acts.TENANTS for _ in range(40)))


def finish(world):
    """Undisturbed: however few runs of the engine were drawn, there are matches to judge; and what
    is not old enough stays."""
    kept = server.psql(world.name, "-c", ROWS)
    for command in (["purge", "--older-than", "3000d"], ["retry"], acts.BATCH):
        status, said = acts.run_program(world.program, world.name, command)
        world.note(command[0], said, [], command[0])
        if status != 0:
            world.faults.append("undisturbed, %s ended with status %d: %s" % (
                command[0], status, said[:300]))
        if command[0] == "purge" and server.psql(world.name, "-c", ROWS) != kept:
            world.faults.append("purge has changed what is not old")


def judge(world):
    lines = [[int(field) for field in line.split("|")]
             for line in server.psql(world.name, text=FOREIGN).splitlines()]
    (matched, all_matched), (candidates,), (written, all_written) = lines
    print("%s: %s; %d attributed, %d to another's click, %d candidates of others; %d writes by "
          "tenants, %d of others' rows; %d faults" %
          (world.name, ", ".join("%d %s" % (n, kind) for kind, n in sorted(world.counts.items())),
           all_matched, matched, candidates, all_written, written, len(world.faults)), flush=True)
    if matched or candidates or written:
        world.faults.append("rows were matched or written across tenants")
    if not (all_matched and all_written and world.counts["seen"] and world.counts["refused"]):
        world.faults.append("too little happened")
    return world.faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--program", default=os.environ.get("CLICKMATCH", "build/clickmatch"))
    options = parser.parse_args()
    if "PG_TEMP_DIR" not in os.environ:
        os.execv(server.PG_TEMP, [server.PG_TEMP, "run", sys.executable, *sys.argv,
                                  "--seed", str(options.seed)])
    program = os.path.abspath(options.program)
    for role in ["engine", "tenant", "reader"]:
        server.psql("template1", "-c", "CREATE ROLE clickmatch_%s" % role)
    for login, role in [("anna", "tenant"), ("bert", "tenant"), ("cleo", "tenant"),
                        ("pool", "reader"), (server.ENGINE, "engine")]:
        server.psql("template1", "-c",
                    "CREATE ROLE %s LOGIN IN ROLE clickmatch_%s" % (login, role))
    server.psql("template1", "-c", "CREATE ROLE platform LOGIN")
    worlds = [World(name, program, options.seed) for name in ["new", "adopted"]]
    for world in worlds:
        make(world)
    threads = [thread for world in worlds for thread in work(world, options.count // 2,
                                                             options.seed)]
    for thread in threads:
        thread.join()
    for world in worlds:
        finish(world)
    faults = [fault for world in worlds for fault in judge(world)]
    for fault in faults[:20]:
        print("FAULT:", fault)
    print("seed %d: %s" % (options.seed, "FAILED" if faults else "good"))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
