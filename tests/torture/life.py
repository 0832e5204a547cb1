"""One life of a stream: it is started, fed, and killed at a chosen moment or left to its end."""

import glob
import json
import os
import re
import signal
import subprocess
import threading
import time

PATIENCE_SECONDS = 3  # for a moment that may not come
END_SECONDS = 300


class Feeder(threading.Thread):
    """Writes lines into a pipe, so many a second at most; 0: as fast as they are read."""

    def __init__(self, pipe, lines, rate):
        super().__init__(daemon=True)
        self.pipe, self.lines, self.rate = pipe, lines, rate
        self.written = 0  # lines
        self.stopped = False

    def run(self):
        began = time.monotonic()
        try:
            while self.written < len(self.lines) and not self.stopped:
                count = 64
                if self.rate:
                    due = int((time.monotonic() - began) * self.rate) + 1 - self.written
                    count = max(0, min(count, due))
                    time.sleep(0 if count else 0.002)
                self.pipe.write(b"".join(self.lines[self.written:self.written + count]))
                self.written = min(self.written + count, len(self.lines))
            self.pipe.close()
        except (BrokenPipeError, ValueError):
            pass


def position_of(directory):
    """Where position.json says to resume; 0: from the first event."""
    try:
        with open(os.path.join(directory, "position.json"), encoding="utf-8") as file:
            return json.load(file)["resume_from_seq"] or 0
    except FileNotFoundError:
        return 0


def being_written(directory):
    return glob.glob(os.path.join(directory, "*.tmp"))


class Life:
    def __init__(self, command, place, lines, rate):
        """place: a path; its standard output and error go to files of this name."""
        self.place = place
        with open(place + ".out", "wb") as out, open(place + ".err", "wb") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=err,
                                            bufsize=0)
        self.feeder = Feeder(self.process.stdin, lines, rate)
        self.feeder.start()
        self.was_asked = False  # to end

    def has_ended(self):
        return self.process.poll() is not None

    def freeze(self):
        """Stop all its threads where they are. False: it has ended."""
        self.process.send_signal(signal.SIGSTOP)
        for _ in range(1000):
            if self.has_ended():
                return False
            with open("/proc/%d/stat" % self.process.pid, encoding="ascii") as file:
                if file.read().rpartition(")")[2].split()[0] == "T":
                    return True
            time.sleep(0.0001)
        return True

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.feeder.join()
        self.close()

    def ask_to_end(self):
        """By SIGTERM; what it holds is kept, what it has told is in its last checkpoint."""
        self.was_asked = True
        self.process.terminate()
        return self.finish()

    def finish(self):
        """Wait for its end, and hand back its exit status."""
        status = self.process.wait(END_SECONDS)
        self.feeder.join()
        self.close()
        return status

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass

    def rss_kib(self):
        with open("/proc/%d/status" % self.process.pid, encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s*(\d+)", file.read()).group(1))

    def messages(self):
        with open(self.place + ".err", encoding="utf-8", errors="replace") as file:
            return file.read()

    def resumed_from(self):
        """What it said; 0 where it began anew, None where it did not get as far."""
        found = re.search(r"resume from seq (\d+)", self.messages())
        return int(found.group(1)) if found else 0

    def output(self):
        """Whole lines, and what is left of one that was cut off."""
        with open(self.place + ".out", "rb") as file:
            *lines, rest = file.read().split(b"\n")
        return lines, rest


def wait_for_moment(life, moment, directory, watcher, delay):
    """Wait until it is time to kill: some time, and then until the stream is where it should be."""
    time.sleep(delay)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while moment != "any" and time.monotonic() < deadline and not life.has_ended():
        if moment == "checkpoint" and being_written(directory):
            return
        if moment != "checkpoint" and watcher.doing() == moment:
            return


def kill_at(life, moment, directory, watcher, delay):
    """Kill it. Returns where it was: a set of "checkpoint" and what the database was doing for it;
    None where it had ended by itself."""
    wait_for_moment(life, moment, directory, watcher, delay)
    if not life.freeze():
        return None
    states = {watcher.doing()} - {""}
    if being_written(directory):
        states.add("checkpoint")
    life.kill()
    return states
