#!/usr/bin/env python3
"""The same work by clickmatch and by other engines, side by side in one run; docs/peers.md.

scripts/bench_peers.sh calls this with what it was given, after it has installed the engines. Each
engine is a program `ENGINE CLICKS CONVERSIONS OUTPUT THREADS` that prints one line of JSON; it is
measured from outside, as a whole process: wall seconds, peak resident memory. Rounds take turns
(A B C A B C), ratios are of the same round. First the peers match small worlds, which must come out
as reference.py has it, row by row.

This process stays small: a child's peak counts from what its parent held when it was started.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
PACKAGES = os.path.join(BUILD, "peers", "node_modules")
ENGINES = ("clickmatch", "duckdb", "chdb", "postgres")
POSTGRES_CLICKS_MAX = 1000000
METHODS = ("click_id", "fingerprint", "address", "none")


class Failed(Exception):
    """A line for the user."""


def command_of(engine, files, threads):
    clicks, conversions, output = files
    if engine == "clickmatch":
        return [BUILD + "/clickmatch", "match", "--clicks", clicks, "--conversions", conversions,
                "--output", output, "--summary", output + ".json", "--threads", str(threads),
                "--recovery-target", "0", "--quiet"]
    program = {"duckdb": ["node", HERE + "/duckdb.js"], "chdb": ["node", HERE + "/chdb.js"],
               "postgres": [sys.executable, HERE + "/postgres.py"]}[engine]
    return program + [clicks, conversions, output, str(threads)]


def with_packages():
    return dict(os.environ, NODE_PATH=PACKAGES)


def missing(engine):
    """Why an engine cannot run here; None if it can."""
    package = {"duckdb": "@duckdb/node-api", "chdb": "chdb"}.get(engine)
    if package and not shutil.which("node"):
        return "node is not installed"
    if package and not os.path.isdir(os.path.join(PACKAGES, package)):
        return "the npm package %s is not installed" % package
    if package and subprocess.run(["node", "-e", "require('%s')" % package], check=False,
                                  stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  env=with_packages()).returncode != 0:
        return "the npm package %s does not load; is its native part missing?" % package
    if engine == "postgres" and not shutil.which("psql"):
        return "psql is not installed"
    if engine == "clickmatch" and not os.access(BUILD + "/clickmatch", os.X_OK):
        return "%s/clickmatch is not built" % BUILD
    return None


def run(engine, files, threads):
    """One whole process: what it said of itself, with seconds and peak_bytes."""
    with open(files[2] + ".said", "w+", encoding="utf-8") as said:
        started = time.monotonic()
        process = subprocess.Popen(command_of(engine, files, threads), stdin=subprocess.DEVNULL,
                                   stdout=said, env=with_packages(), start_new_session=True)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
            raise
        seconds = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise Failed("%s ended with status %d" % (engine, process.returncode))
        said.seek(0)
        text = said.read()
    if engine == "clickmatch":
        with open(files[2] + ".json", encoding="utf-8") as file:
            measured = from_summary(json.load(file))
    else:
        measured = json.loads(text.splitlines()[-1])
    measured.setdefault("seconds", seconds)
    if engine != "postgres":  # the server's processes are not ours to wait for
        measured["cpu_seconds"] = usage.ru_utime + usage.ru_stime
        measured["peak_bytes"] = usage.ru_maxrss << 10
    return measured


def from_summary(summary):
    """clickmatch's own account: phases, and conversions by method in the words of the peers."""
    phases = {phase["name"]: phase["seconds"] for phase in summary["phases"]}
    methods = summary["attribution"]["methods"]
    words = ("url_param", "fingerprint", "probabilistic", "unattributed")
    return {"version": summary["version"], "load_seconds": phases.get("load clicks"),
            "match_seconds": phases.get("match"),
            "methods": {method: methods.get(word, {}).get("conversions", 0)
                        for method, word in zip(METHODS, words)}}


def examine(output):
    """Rows by method and a digest of all rows, order aside: by a process of its own."""
    done = subprocess.run([sys.executable, HERE + "/examine.py", output], check=True,
                          stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def simulate(folder, clicks, conversions, seed):
    program = BUILD + "/clickmatch"
    if not os.access(program, os.X_OK):
        raise Failed("%s is not built; run make" % program)
    subprocess.run([program, "simulate", "--output", folder, "--quiet", "--clicks-count",
                    str(clicks), "--conversions-count", str(conversions), "--seed", str(seed)],
                   check=True)


def world_files(folder):
    return [os.path.join(folder, name) for name in ("clicks.csv", "conversions.csv")]


def check(engines, folder, output_folder, threads):
    """Every peer matches a small world as expected.csv there has it."""
    wanted = examine(folder + "/expected.csv")
    for engine in engines:
        if engine == "clickmatch":
            continue  # its rule is richer; its own tests see to it
        output = "%s/%s.csv" % (output_folder, engine)
        run(engine, world_files(folder) + [output], threads)
        found = examine(output)
        if found != wanted:
            raise Failed("%s finds %s, the reference %s: not the same work"
                         % (engine, found, wanted))
        print("%-12s agrees with the reference on %d conversions of %s"
              % (engine, wanted["rows"], os.path.basename(folder)), flush=True)


def check_small(engines, folder, threads):
    """Borders of the rule, and a small simulated world. It warms the programs up, too."""
    check(engines, HERE + "/borders", folder, threads)
    world = folder + "/small"
    simulate(world, 20000, 4000, 7)
    subprocess.run([sys.executable, HERE + "/reference.py", *world_files(world),
                    world + "/expected.csv"], check=True)
    check(engines, world, folder, threads)


def measure(engines, folder, rounds, threads):
    """Per engine the list of its runs, with what its rows were in the last round."""
    runs = {engine: [] for engine in engines}
    rows = {}
    for path in world_files(folder):  # from the page cache for all of them, the first one, too
        subprocess.run(["cat", path], check=True, stdout=subprocess.DEVNULL)
    for number in range(1, rounds + 1):
        for engine in engines:
            output = "%s/%s.csv" % (folder, engine)
            measured = run(engine, world_files(folder) + [output], threads)
            runs[engine].append(measured)
            print("round %d of %d  %-12s %8.2f s" % (number, rounds, engine, measured["seconds"]),
                  flush=True)
            if number == rounds and engine != "clickmatch":
                rows[engine] = examine(output)
            os.remove(output)
    return runs, rows


def summarize(runs, rows):
    """Medians, and ratios to clickmatch in the same round."""
    results = {}
    for engine, own in runs.items():
        result = {"version": own[0]["version"], "runs": own,
                  "methods": own[0].get("methods") or rows[engine]["methods"]}
        for figure in ("seconds", "load_seconds", "match_seconds", "cpu_seconds", "peak_bytes"):
            if figure in own[0]:
                result[figure] = statistics.median(one[figure] for one in own)
        result["seconds_best"] = min(one["seconds"] for one in own)
        for figure in ("seconds", "peak_bytes"):
            if "clickmatch" in runs:
                result["ratio_" + figure] = statistics.median(
                    one[figure] / ours[figure] for one, ours in zip(own, runs["clickmatch"]))
        results[engine] = result
    return results


def print_table(results):
    columns = (("load s", "load_seconds", 1), ("match s", "match_seconds", 1),
               ("whole s", "seconds", 1), ("ratio", "ratio_seconds", 1),
               ("best s", "seconds_best", 1), ("CPU s", "cpu_seconds", 1),
               ("peak MB", "peak_bytes", 1e6), ("ratio", "ratio_peak_bytes", 1))
    print("\n%-12s %-10s" % ("engine", "version") + "".join(
        " %9s" % title for title, _, _ in columns))
    for engine, result in results.items():
        print("%-12s %-10s" % (engine, result["version"]) + "".join(
            " %9.2f" % (result[figure] / unit) if figure in result else " %9s" % "-"
            for _, figure, unit in columns))
    print("\n%-12s" % "matches by" + "".join(" %11s" % method for method in METHODS))
    for engine, result in results.items():
        print("%-12s" % engine + "".join(
            " %11d" % result["methods"].get(method, 0) for method in METHODS))


def agreement(rows):
    """Whether the peers did the same work on the large world: by method, and row by row."""
    if len({json.dumps(found["methods"], sort_keys=True) for found in rows.values()}) > 1:
        raise Failed("the peers differ in their matches by method: not the same work")
    return len({found["digest"] for found in rows.values()}) <= 1


def machine():
    model = platform.machine()
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"cpu": model, "cores": len(os.sched_getaffinity(0)), "system": platform.release(),
            "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")}


def rows_of(path):
    """Lines without the header: near enough."""
    done = subprocess.run(["wc", "-l", path], check=True, stdout=subprocess.PIPE, text=True)
    return int(done.stdout.split()[0]) - 1


def choose(options):
    """The engines that will run; says which will not, and why."""
    if options.world:
        options.clicks, options.conversions = map(rows_of, world_files(options.world))
        options.seed = None
    engines, left_out = [], {}
    for engine in options.engines.split(","):
        if engine not in ENGINES:
            raise Failed("no engine '%s'; there are %s" % (engine, ", ".join(ENGINES)))
        reason = missing(engine)
        if engine == "postgres" and options.clicks > POSTGRES_CLICKS_MAX and not options.postgres:
            reason = "only up to %d clicks, unless --postgres is given" % POSTGRES_CLICKS_MAX
        if reason:
            print("%-12s left out: %s" % (engine, reason))
            left_out[engine] = reason
        else:
            engines.append(engine)
    return engines, left_out


def parse_options():
    parser = argparse.ArgumentParser(prog="bench_peers.sh", description="The same matching by "
                                     "clickmatch, DuckDB, ClickHouse and PostgreSQL, side by side.")
    parser.add_argument("--clicks", type=int, default=1000000, metavar="N")
    parser.add_argument("--conversions", type=int, default=200000, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--world", metavar="DIR",
                        help="take DIR's clicks.csv and conversions.csv, do not simulate")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument("--threads", type=int, metavar="N", default=len(os.sched_getaffinity(0)),
                        help="of every engine (default: all cores)")
    parser.add_argument("--engines", default=",".join(ENGINES), metavar="A,B",
                        help="default: %(default)s")
    parser.add_argument("--postgres", action="store_true",
                        help="PostgreSQL, however many clicks there are")
    parser.add_argument("--check", action="store_true", help="only the small world")
    parser.add_argument("--json", metavar="FILE", default=BUILD + "/peers.json",
                        help="where the figures go (default: build/peers.json)")
    return parser.parse_args()


def bench(options, folder):
    engines, left_out = choose(options)
    check_small(engines, folder, options.threads)
    if options.check:
        return
    world = folder + "/world"
    os.makedirs(world)
    if options.world:
        for source, target in zip(world_files(options.world), world_files(world)):
            os.symlink(os.path.abspath(source), target)
    else:
        simulate(world, options.clicks, options.conversions, options.seed)
    sizes = {os.path.basename(path): os.path.getsize(path) for path in world_files(world)}
    runs, rows = measure(engines, world, options.rounds, options.threads)
    results = summarize(runs, rows)
    print_table(results)
    same_rows = agreement(rows)
    print("\nthe peers agree on the matches by method, %s" % (
        "and on every row" if same_rows else
        "not on every row: clicks at the same microsecond, of which any may count"))
    report = {"date": time.strftime("%Y-%m-%d", time.gmtime()), "machine": machine(),
              "threads": options.threads, "clicks": options.clicks,
              "conversions": options.conversions, "seed": options.seed, "world": options.world,
              "file_bytes": sizes, "rounds": options.rounds,
              "engines": results, "left_out": left_out, "same_rows": same_rows}
    with open(options.json, "w", encoding="utf-8") as file:
        json.dump(report, file, indent=2)
        file.write("\n")
    print("figures: %s" % os.path.relpath(options.json))


def main():
    options = parse_options()
    folder = os.path.join(BUILD, "peers", "run.%d" % os.getpid())
    os.makedirs(folder)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        bench(options, folder)
    except KeyboardInterrupt:
        return 130
    except (Failed, subprocess.CalledProcessError) as error:
        print("bench_peers.sh: %s" % error, file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
