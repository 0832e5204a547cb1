"""A session that stays, so that a question costs a millisecond, not a process."""

import subprocess


class Lost(Exception):
    """The server ended it; the next question begins another one."""


class Session:
    MARK = "--answered--"

    def __init__(self, database):
        self.database = database
        self.psql = None

    def begin(self):
        self.psql = subprocess.Popen(
            ["psql", "-XAtq", "-v", "ON_ERROR_STOP=0", "-d", self.database], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def ask(self, statement):
        """What it answers, without the last line's end."""
        if self.psql is None or self.psql.poll() is not None:
            self.begin()
        try:
            self.psql.stdin.write("%s;\n\\echo %s\n" % (statement, self.MARK))
            self.psql.stdin.flush()
        except BrokenPipeError:
            self.close()
            raise Lost(statement) from None
        lines = []
        while (line := self.psql.stdout.readline()) != self.MARK + "\n":
            if not line:
                self.close()
                raise Lost(statement)
            lines.append(line)
        answer = "".join(lines).removesuffix("\n")
        if any(line.startswith("ERROR:") for line in lines):
            raise RuntimeError("%s: %s" % (self.database, answer))
        return answer

    def close(self):
        if self.psql is None:
            return
        try:
            self.psql.stdin.close()
        except BrokenPipeError:
            pass
        self.psql.wait()
        self.psql = None
