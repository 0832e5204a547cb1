"""A simulated world as a stream of events that has everything in it that can go wrong with events:
duplicates, late ones, malformed ones, clicks far ahead, with an expiry of their own or an id that
was forgotten, events that the tables refuse, and in some worlds a silence of nine days."""

import bisect
import collections
import datetime
import json
import os
import subprocess

REQUIRED = {"click": {"campaign_id": "c", "ad_id": "a"}, "conversion": {"conversion_type": "lead"}}
SILENCE = datetime.timedelta(days=9)
FORGOTTEN = datetime.timedelta(days=7, hours=2)  # after which a click's id may be
HOUR = datetime.timedelta(hours=1)
AGREE_COUNT = 100  # events that must agree before a jump of time is believed


def read_time(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")


def write_time(time):
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


# conversion_id: None of a click.
Event = collections.namedtuple("Event", "seq time conversion_id")


class World:
    """Lines in the order of the stream. Each has a position that rises; that of an event is its
    seq, that of a line which cannot be read stands nowhere."""

    def __init__(self, lines, positions, events):
        self.lines = lines
        self.positions = positions
        self.events = events  # the event of each line that is a good one, else None

    def index_of(self, position):
        """The first line at or after a position."""
        return bisect.bisect_left(self.positions, position)



def simulated(program, directory, rng, size):
    subprocess.run([program, "simulate", "--quiet", "--output", directory, "--format", "ndjson",
                    "--seed", str(rng.randrange(1 << 30)), "--days", str(rng.choice([14, 30])),
                    "--clicks-count", str(size * 4 // 5), "--conversions-count", str(size // 5),
                    "--threads", "1"], check=True)
    events = []
    for kind, required in REQUIRED.items():
        with open(os.path.join(directory, kind + "s.ndjson"), encoding="utf-8") as file:
            for line in file:
                event = {**required, **json.loads(line)}
                events.append([read_time(event[kind + "_timestamp"]), kind, event])
    events.sort(key=lambda event: (event[0], event[1] == "conversion"))
    return events


def set_time(event, time):
    event[0] = time
    event[2][event[1] + "_timestamp"] = write_time(time)


def fall_silent(rng, events):
    """From some place on, everything is nine days later."""
    at = rng.randrange(len(events) // 3, 2 * len(events) // 3)
    for event in events[at:]:
        set_time(event, event[0] + SILENCE)
    return at


def spoil(rng, event):
    """Give an event what is wrong, or only unusual."""
    kind, fields = event[1], event[2]
    chance = rng.random()
    if kind == "click" and chance < 0.05:
        length = datetime.timedelta(minutes=rng.randrange(10, 20 * 24 * 60))
        fields["expires_at"] = write_time(event[0] + length)
    elif kind == "click" and chance < 0.055:
        set_time(event, event[0] + rng.randrange(2, 48) * HOUR)
    elif chance < 0.06:
        fields["ip_address"] = "1.2.3"
    elif chance < 0.065:
        fields[kind + "_timestamp"] = "yesterday"
    elif kind == "conversion" and chance < 0.07:
        del fields["conversion_type"]
    elif chance < 0.072:
        fields["user_agent"] = "x\udc80" if kind == "click" else "a\u0000b"


def use_again(rng, events):
    """Some clicks have the id of another one of their tenant, which is mostly forgotten by then."""
    clicks = [event for event in events if event[1] == "click"]
    last, old = {}, 0
    for click in clicks:
        while click[0] - clicks[old][0] > FORGOTTEN:
            last[clicks[old][2]["tenant_id"]] = clicks[old][2]["click_id"]
            old += 1
        if rng.random() < 0.03:
            click[2]["click_id"] = last.get(click[2]["tenant_id"], click[2]["click_id"])


def disorder(rng, events, silence):
    """Some come late, some twice; but none again after a silence longer than ids are known: that
    would be a second result."""
    keyed = [[place, event] for place, event in enumerate(events)]
    for place, event in list(keyed):
        if rng.random() < 0.02:
            keyed[place][0] += rng.randrange(1, 400)
        if rng.random() < 0.01 and not silence - 1000 < place <= silence:
            again = [event[0], event[1], dict(event[2])]
            keyed.append([place + rng.randrange(1, 200), again])
    keyed.sort(key=lambda pair: pair[0])
    return [event for _, event in keyed]


def malformed(rng):
    return rng.choice([b'{"event":"click","tenant_id":\n', b"no event at all\n", b"[1,2]\n",
                       b'{"event":"refund","tenant_id":"shop-1"}\n'])


def is_good(event):
    fields = event[2]
    return (fields.get("ip_address") != "1.2.3" and "yesterday" not in fields.values() and
            "\udc80" not in fields.get("user_agent", ""))


def make(program, directory, rng, size, has_silence):
    events = simulated(program, directory, rng, size)
    silence = fall_silent(rng, events) if has_silence else -1
    use_again(rng, events)
    for event in events[5:]:
        spoil(rng, event)
    lines, positions, good, position = [malformed(rng), malformed(rng)], [1, 2], [None] * 2, 2
    for event in disorder(rng, events, silence):
        position += rng.choice([1, 1, 1, 2, 50])
        text = json.dumps({"seq": position, **event[2]}, separators=(",", ":"))
        lines.append(text.encode() + b"\n")
        positions.append(position)
        good.append(Event(position, event[0], event[2].get("conversion_id"))
                    if is_good(event) else None)
        while rng.random() < 0.006:
            position += 1
            lines.append(malformed(rng))
            positions.append(position)
            good.append(None)
    return World(lines, positions, good)


class Clock:
    """When the result of each conversion is told: what docs/stream.md says of time. Keeps the seq
    of the event that let it go."""

    def __init__(self, grace, lateness):
        self.grace, self.lateness = grace, lateness
        self.latest = self.ahead = None
        self.is_alone = False
        self.waiting, self.held, self.seen, self.told = [], [], set(), {}

    def move(self, time):
        is_far_back = self.latest is not None and self.latest - time > HOUR
        if self.latest is None or (self.is_alone and is_far_back):
            self.latest, self.is_alone = time, True
            return
        self.is_alone = self.is_alone and is_far_back
        self.latest = max(self.latest, time)

    def admit(self, event, now, moves):
        if moves:
            self.move(event.time)
        if event.conversion_id is not None and event.conversion_id not in self.seen:
            self.seen.add(event.conversion_id)
            is_late = event.time + self.grace < self.latest - self.lateness
            self.held.append((event, not self.grace or is_late or not moves))
        while self.held and self.is_due(*self.held[0]):
            self.told[self.held.pop(0)[0].seq] = now

    def is_due(self, event, is_ready):
        return is_ready or event.time + self.grace <= self.latest - self.lateness

    def let_waiting_go(self, now, moves):
        waiting, self.waiting = self.waiting, []
        for event in waiting:
            self.admit(event, now, moves)

    def take(self, event):
        if self.latest is None or event.time - self.latest <= HOUR:
            self.let_waiting_go(event.seq, False)
            self.admit(event, event.seq, True)
            return
        if self.waiting and abs(event.time - self.ahead) > HOUR:
            self.let_waiting_go(event.seq, False)
        self.ahead = max(self.ahead, event.time) if self.waiting else event.time
        self.waiting.append(event)
        if len(self.waiting) == AGREE_COUNT:
            self.let_waiting_go(event.seq, True)


def told_at(world, grace_minutes, lateness_minutes):
    """By a conversion's seq: that of the event after which its result was told. One that is held
    to the end has none."""
    clock = Clock(datetime.timedelta(minutes=grace_minutes),
                  datetime.timedelta(minutes=lateness_minutes))
    for event in world.events:
        if event is not None:
            clock.take(event)
    return clock.told
