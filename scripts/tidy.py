#!/usr/bin/env python3
"""Style as a test: what CONTRIBUTING.md promises and a program can check.

    scripts/tidy.py [ROOT]

Prints one line per finding, `file:line: what; what to do`, and fails if there is any. The layers
come from the table in CONTRIBUTING.md: there is one list. tests/unit/test_tidy.py shows every check
fail.
"""

import os
import re
import statistics
import sys

# (check, path): why the finding may stand. An entry that excuses nothing is a finding itself.
EXCEPTIONS = {}

LINE_COLUMNS_MAX = 100
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
FILE_LINES_MEDIAN_MAX = 250
FUNCTION_LINES_MEDIAN_MAX = 20
HEADER_COMMENT_SHARE_MIN = 0.40
TEST_SHARE_MIN = 0.70

CODE_SUFFIXES = (".c", ".h", ".def", ".sh", ".py", ".sql")
PRUNED_FOLDERS = {".git", "build", "node_modules", "__pycache__"}
DATA_FOLDERS = ("data/", "tests/golden/", "tests/data/", "tests/fuzz/corpus/")  # not by hand
TEXT_BYTES_MAX = 1 << 20

LIBRARY = {"util", "model", "store", "index", "match", "io", "engine"}
FILE_LAYERS = {"file", "pg", "cmd", "main"}
FILE_CALLS = """open openat creat fopen freopen fdopen popen system opendir mkstemp mkostemp mkdtemp
    tmpfile rename renameat unlink socket socketpair connect getaddrinfo""".split()
STOP_CALLS = "exit _exit _Exit quick_exit abort longjmp siglongjmp".split()
PRINT_CALLS = "printf vprintf puts putchar perror".split()
AMBIENT_CALLS = """time clock clock_gettime gettimeofday timespec_get getenv secure_getenv setlocale
    rand srand random srandom rand_r drand48""".split()
# Each with what takes its place.
BANNED_CALLS = {
    "__builtin_prefetch": "gcc drops calls of what does nothing else (util/prefetch.h)",
    "strcpy": "copy with a size (memcpy)",
    "strcat": "use a cm_buffer",
    "sprintf": "use snprintf",
    "vsprintf": "use vsnprintf",
    "gets": "use fgets",
    "strtok": "walk a cm_slice",
    "atoi": "parse with a check (util)",
    "atol": "parse with a check (util)",
    "atoll": "parse with a check (util)",
    "atof": "parse with a check (util)",
    "alloca": "use the arena or a fixed array",
}
BANNED_BUT = {"__builtin_prefetch": "src/util/prefetch.h"}
# Who starts threads: a file of src/ is named by a case of THREADS_TEST, which runs under the thread
# sanitizer; a test in C stands in the Makefile's THREADED.
THREAD_CALLS = "pthread_create cm_parallel MHD_start_daemon".split()
THREADS_TEST = "tests/integration/test_threads.sh"

# Places and names that mean something on one machine only. Written in pieces, so that this file
# passes its own check.
FORBIDDEN_WORDS = [a + b for a, b in (
    ("/wo", "rk/"), ("/fa", "rm/"), (".lib", "rary"), ("../sh", "ared"), ("bash_", "jobs"),
    ("cla", "ude"), ("anth", "ropic"), ("chat", "gpt"), ("copi", "lot"), ("artifac", "tory"),
    (".inter", "nal/"), ("localhost", ":80"))]


class Source:
    """A text file. `code` is its text with C comments, strings and characters blanked."""

    def __init__(self, root, path):
        self.path = path
        with open(os.path.join(root, path), encoding="utf-8", newline="") as file:
            self.text = file.read()
        self.lines = self.text.split("\n")
        if self.lines[-1] == "":
            self.lines.pop()
        self.is_c = path.endswith((".c", ".h", ".def"))
        self.is_data = path.startswith(DATA_FOLDERS)
        self.is_code = not self.is_data and (
            path.endswith(CODE_SUFFIXES) or path in ("Makefile", ".ci/run"))
        self.comment_lines = set()
        self.code = self.blank_comments().split("\n") if self.is_c else self.lines

    TOKEN = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)

    def blank_comments(self):
        def blank(match):
            token = match.group()
            if token.startswith("/"):
                first = self.text.count("\n", 0, match.start())
                self.comment_lines.update(range(first, first + token.count("\n") + 1))
            elif self.text[:match.start()].rpartition("\n")[2].strip() in ("#include", "# include"):
                return token
            return re.sub(r"[^\n]", " ", token)
        return self.TOKEN.sub(blank, self.text)

    def layer(self):
        """The folder under src, "main" for a file directly in it, None outside src."""
        parts = self.path.split("/")
        if parts[0] != "src":
            return None
        return parts[1] if len(parts) > 2 else "main"

    def calls(self, names):
        """Line number and name of each call of one of `names`; members of structs do not count."""
        pattern = re.compile(r"(?<![\w.])(?<!->)(%s)\s*\(" % "|".join(names))
        for number, line in enumerate(self.code, 1):
            for match in pattern.finditer(line):
                yield number, match.group(1)

    def functions(self):
        """First line, name and number of lines of each function definition.

        A body opens with a brace in the first column, or at the end of a line that starts there and
        closes a parameter list; it ends with the next brace in the first column.
        """
        lines = self.code
        for opening, line in enumerate(lines):
            if not re.match(r"\{\s*$|(?!struct|union|enum|typedef|#)\w.*\)\s*\{\s*$", line):
                continue
            first = opening
            while first > 0 and re.search(r"[\w,*)(]\s*$", lines[first - 1]) \
                    and not lines[first - 1].startswith("#"):
                first -= 1
            last = opening + 1
            while last < len(lines) and not lines[last].startswith("}"):
                last += 1
            name = re.search(r"(\w+)\s*\(", " ".join(lines[first:opening + 1]))
            if name:
                yield first + 1, name.group(1), last - first + 1


class Tidy:
    def __init__(self, root, exceptions):
        self.findings = []
        self.excused = set()
        self.exceptions = exceptions
        self.sources = [Source(root, path) for path in text_files(root)]
        self.by_path = {source.path: source for source in self.sources}

    def find(self, check, path, line, what, remedy):
        if (check, path) in self.exceptions:
            self.excused.add((check, path))
        else:
            self.findings.append("%s:%d: %s; %s" % (path, line, what, remedy))

    def run(self):
        allowed = self.read_layers()
        for source in self.sources:
            self.check_text(source)
            if source.is_code:
                self.check_lengths(source)
                self.check_suppressions(source)
            if source.is_c and not source.is_data:
                self.check_banned(source)
            if source.layer():
                self.check_includes(source, allowed)
                self.check_calls(source)
        self.check_lint_settings()
        self.check_threads()
        self.check_totals()
        for check, path in sorted(set(self.exceptions) - self.excused):
            self.findings.append("scripts/tidy.py:1: the exception (%s, %s) excuses nothing; "
                                 "remove it" % (check, path))
        return self.findings

    def run_layers(self):
        """Only the direction of dependencies: quick enough for every build."""
        allowed = self.read_layers()
        for source in self.sources:
            if source.layer():
                self.check_includes(source, allowed)
        return self.findings

    def read_layers(self):
        """What each layer may include, from the table in CONTRIBUTING.md."""
        path = "CONTRIBUTING.md"
        allowed = {}
        lines = self.by_path[path].lines if path in self.by_path else []
        for number, line in enumerate(lines, 1):
            row = re.match(r"\| `(?:src/)?(\w+)` \|.*\| ([^|]*) \|$", line)
            if not row:
                continue
            layer, cell = row.groups()
            names = set(re.findall(r"\w+", cell)) - {"nothing", "and", "below"}
            if cell == "all of the above":
                names = set(allowed)
            for name in sorted(names - set(allowed)):
                self.find("layers", path, number, "'%s' may include '%s', which stands in no row "
                          "above" % (layer, name), "name layers from the bottom up")
            if cell.endswith("and below"):
                names = names.union(*(allowed.get(name, set()) for name in names))
            allowed[layer] = names | {layer, "include"}
        if not allowed:
            self.find("layers", path, 1, "there is no table of layers", "restore it")
            return {}
        allowed["main"] = set(allowed)
        return allowed

    def check_text(self, source):
        for number, line in enumerate(source.lines, 1):
            for word in FORBIDDEN_WORDS:
                if word in line.lower():
                    self.find("words", source.path, number, "'%s' means nothing to a reader "
                              "elsewhere" % word, "say it without")
            if source.is_data:
                continue
            if line != line.rstrip():
                self.find("blanks", source.path, number, "blanks at the end of the line",
                          "remove them")
            if "\t" in line and source.is_code and source.path != "Makefile":
                self.find("tabs", source.path, number, "a tab", "use spaces, or \\t in a string")

    def check_lengths(self, source):
        for number, line in enumerate(source.lines, 1):
            if len(line) > LINE_COLUMNS_MAX:
                self.find("columns", source.path, number, "%d columns" % len(line),
                          "break the line at %d" % LINE_COLUMNS_MAX)
        if len(source.lines) > FILE_LINES_MAX:
            self.find("file", source.path, 1, "%d lines" % len(source.lines),
                      "split the file: one idea, at most %d lines" % FILE_LINES_MAX)
        if not source.is_c:
            return
        for number, name, size in source.functions():
            if size > FUNCTION_LINES_MAX:
                self.find("function", source.path, number, "%s has %d lines" % (name, size),
                          "split it: at most %d" % FUNCTION_LINES_MAX)

    SUPPRESSION = re.compile(r"""
        (?://|/\*)\s*NOLINT\w*(?:\([^)]*\))?(?P<lint>.*)
        | (?://|/\*)\s*cppcheck-suppress\s*(?:\w+|\[[^]]*\])(?P<cppcheck>.*)
        | ^\s*\#\ shellcheck\ disable=\S+(?P<shell>.*)
        | ^\#\s*pragma\ (?:GCC|clang)\ diagnostic\ (?:ignored|warning)(?P<compiler>.*)
        """, re.VERBOSE)

    def check_suppressions(self, source):
        """What a linter or a compiler is told to let pass has its reason on the line, or, where a
        pragma has no room for it, in a comment just above."""
        for number, line in enumerate(source.lines, 1):
            match = self.SUPPRESSION.search(line)
            if not match:
                continue
            has_reason = re.search(r"\w", match[match.lastgroup])
            if match.lastgroup == "compiler":
                has_reason = source.comment_lines & {number - 3, number - 2, number - 1}
            if not has_reason:
                self.find("suppression", source.path, number, "a warning is let pass without a "
                          "reason", "say why beside it")

    def check_lint_settings(self):
        """The linters' own lists: each check that is turned off is in a comment that says why."""
        for path, off in ((".clang-tidy", r"^\s+-([\w.-]+),?$"),
                          ("scripts/lint.sh", r"--suppress=(\w+)")):
            source = self.by_path.get(path)
            lines = source.lines if source else []
            reasons = " ".join(line for line in lines if line.startswith("#"))
            for number, line in enumerate(lines, 1):
                for name in re.findall(off, line):
                    last = re.sub(r"^(clang-analyzer|bugprone|performance)-(.*\.)?", "", name)
                    if not re.search(r"\b%s\b[^:]*:" % re.escape(last), reasons):
                        self.find("suppression", path, number, name + " is turned off without a "
                                  "reason", "name it in the comment above, and say why")

    def check_threads(self):
        """All that starts threads is run by `make tsan`."""
        test, makefile = (self.by_path.get(path) for path in (THREADS_TEST, "Makefile"))
        named, listed = set(), set()
        if test and re.search(r"^\t.*tests/run\.sh.* test_threads\.sh\b", makefile.text if makefile
                              else "", re.MULTILINE):
            for number, line in enumerate(test.lines, 1):
                if line.startswith("# starts:"):
                    named.update(self.check_started(test, number, line.split()[2:]))
        if makefile:
            words = re.search(r"^THREADED = ((?:.*\\\n)*.*)", makefile.text, re.MULTILINE)
            listed.update(words.group(1).split() if words else ())
        for source in self.sources:
            calls = list(source.calls(THREAD_CALLS)) if source.path.endswith(".c") else []
            name = os.path.basename(source.path)[:-2]
            if calls and source.path.startswith("src/") and source.path not in named:
                self.find("threads", source.path, calls[0][0], "starts threads that make tsan does "
                          "not run", "name it by `# starts:` of a case in " + THREADS_TEST)
            if calls and re.match(r"tests/\w+/test_", source.path) and name not in listed:
                self.find("threads", source.path, calls[0][0], "starts threads, and is not in "
                          "THREADED", "add it there, in the Makefile")

    def check_started(self, test, number, paths):
        """What a case says that it starts: files that do so. Returns them."""
        if not "".join(test.lines[number:number + 1]).startswith("case_"):
            self.find("threads", test.path, number, "`# starts:` of no case", "put it above one")
            return []
        for path in paths:
            source = self.by_path.get(path)
            if not source or not list(source.calls(THREAD_CALLS)):
                self.find("threads", test.path, number, path + " starts no threads", "remove it")
        return paths

    def check_banned(self, source):
        for number, name in source.calls(BANNED_CALLS):
            if source.path == BANNED_BUT.get(name):
                continue
            self.find("banned", source.path, number, name + " is banned", BANNED_CALLS[name])

    def check_includes(self, source, allowed):
        layer = source.layer()
        if not allowed:
            return
        if layer not in allowed:
            self.find("layers", source.path, 1, "'%s' is no layer" % layer,
                      "add a row to the table in CONTRIBUTING.md")
            return
        for number, line in enumerate(source.code, 1):
            match = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
            if not match:
                continue
            target = match.group(1)
            if re.search(r"\b(libpq|postgres)", target) and layer != "pg":
                self.find("libpq", source.path, number, "libpq outside src/pg",
                          "call what src/pg offers")
            of = self.layer_of(source, line, target)
            if of == "nowhere":
                self.find("layers", source.path, number, '"%s" names no layer' % target,
                          'write "folder/file.h"')
            elif of and of not in allowed[layer]:
                self.find("layers", source.path, number, "%s may not include %s" % (layer, of),
                          "move the code down, or pass in what it needs")

    def layer_of(self, source, line, target):
        """The layer a header belongs to; None for one that is not ours."""
        if target == "clickmatch.h":
            return "include"
        if target == "sql.h":  # generated from src/pg/sql
            return "pg"
        if "<" in line:
            return None
        if "src/" + target in self.by_path and "/" in target:
            return target.split("/")[0]
        folder = os.path.dirname(source.path)
        return source.layer() if folder + "/" + target in self.by_path else "nowhere"

    def check_calls(self, source):
        layer = source.layer()
        if layer not in FILE_LAYERS:
            for number, name in source.calls(FILE_CALLS):
                self.find("files", source.path, number, name + " outside file, pg, cmd and main",
                          "take bytes from the caller, or use src/file")
        if layer not in LIBRARY:
            return
        if not source.path.startswith("src/util/check."):
            for number, name in source.calls(STOP_CALLS):
                self.find("stop", source.path, number, "the library calls " + name,
                          "return a cm_status, or CM_CHECK for a broken promise")
        for number, name in source.calls(AMBIENT_CALLS):
            self.find("ambient", source.path, number, "the library calls " + name,
                      "take time, settings and chance from the caller")
        printing = list(source.calls(PRINT_CALLS))
        for number, line in enumerate(source.code, 1):
            printing += [(number, name) for name in re.findall(r"\bstd(?:err|out)\b", line)]
        for number, name in printing:
            self.find("print", source.path, number, "the library prints (%s)" % name,
                      "fill the caller's cm_error")

    def check_totals(self):
        c_files = [s for s in self.sources if s.path.startswith("src/") and s.is_c]
        sizes = [len(s.lines) for s in c_files if s.path.endswith(".c")]
        functions = [size for s in c_files for _, _, size in s.functions()]
        if sizes and statistics.median(sizes) > FILE_LINES_MEDIAN_MAX:
            self.find("file-median", "src", 0, "the median .c file has %d lines" %
                      statistics.median(sizes), "split files: at most %d" % FILE_LINES_MEDIAN_MAX)
        if functions and statistics.median(functions) > FUNCTION_LINES_MEDIAN_MAX:
            self.find("function-median", "src", 0, "the median function has %d lines" %
                      statistics.median(functions),
                      "split functions: at most %d" % FUNCTION_LINES_MEDIAN_MAX)
        for source in self.sources:
            if source.path.startswith("include/"):
                self.check_comments(source)
        tests = sum(len(s.lines) for s in self.sources
                    if s.is_code and s.path.startswith("tests/"))
        code = sum(len(s.lines) for s in self.sources
                   if s.is_code and s.path.startswith(("src/", "include/")))
        if tests < TEST_SHARE_MIN * code:
            self.find("tests", "tests", 0, "%d lines of tests for %d of source" % (tests, code),
                      "write tests: at least %.1f of the source" % TEST_SHARE_MIN)

    def check_comments(self, source):
        filled = {i for i, line in enumerate(source.lines) if line.strip()}
        share = len(source.comment_lines & filled) / max(1, len(filled))
        if share < HEADER_COMMENT_SHARE_MIN:
            self.find("comments", source.path, 1, "%.0f %% of the lines are comments" %
                      (100 * share), "say shapes, units, ownership, errors and threads: "
                      "at least %.0f %%" % (100 * HEADER_COMMENT_SHARE_MIN))


def text_files(root):
    """Paths under root, relative to it, of what is text and small enough to be written by hand."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(set(folders) - PRUNED_FOLDERS)
        for name in sorted(names):
            path = os.path.join(folder, name)
            if os.path.islink(path) or os.path.getsize(path) > TEXT_BYTES_MAX:
                continue
            with open(path, "rb") as file:
                content = file.read()
            try:
                content.decode("utf-8")
            except UnicodeDecodeError:
                continue
            if b"\0" not in content:
                found.append(os.path.relpath(path, root))
    return found


def main():
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    arguments = [argument for argument in sys.argv[1:] if argument != "--layers"]
    tidy = Tidy(arguments[0] if arguments else here, EXCEPTIONS)
    findings = tidy.run_layers() if "--layers" in sys.argv else tidy.run()
    for finding in findings:
        print(finding)
    if findings:
        print("tidy: %d findings in %d files" % (len(findings), len(tidy.sources)), file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
