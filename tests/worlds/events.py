"""Events: who clicks and converts when, for which tenant, and the truth of each conversion."""

import bisect
import random

from devices import Population, Ranked, number_of
from places import DAY_US, HOUR_US

WINDOW_US = 7 * DAY_US
MINUTE_US = HOUR_US // 60
# How busy each hour of the day is, from midnight.
HOURS = (3, 2, 1, 1, 1, 2, 4, 6, 7, 7, 7, 7, 8, 8, 7, 7, 7, 8, 9, 11, 12, 12, 9, 5)


class Event:
    """A click, or a conversion (then `truth` is a click or None)."""

    __slots__ = ("device", "tenant", "time_us", "is_click", "is_valid", "id", "truth", "kept",
                 "fields")

    def __init__(self, device, tenant, time_us, is_click):
        self.device = device
        self.tenant = tenant
        self.time_us = time_us
        self.is_click = is_click
        self.is_valid = True
        self.id = ""
        self.truth = None
        self.kept = None
        self.fields = ()


def time_of(event):
    return event.time_us


def newest_last(event):
    return event.time_us, event.id


class Calendar:
    """Draws times of the period."""

    def __init__(self, start_us, days, rng):
        self.start_us = start_us
        self.end_us = start_us + days * DAY_US
        self.first_conversion_us = start_us + min(DAY_US, days * DAY_US // 8)
        self.days = days
        self.rng = rng

    def any_time(self):
        rng = self.rng
        hour = rng.choices(range(24), HOURS)[0]
        return (self.start_us + rng.randrange(self.days) * DAY_US + hour * HOUR_US
                + rng.randrange(HOUR_US))

    def takes_conversion(self, time_us):
        return self.first_conversion_us <= time_us < self.end_us


class Clicks:
    """All clicks, and for each device and tenant the valid ones in time order."""

    def __init__(self, knobs, options, calendar):
        self.knobs = knobs
        self.calendar = calendar
        self.seed = options.seed
        self.rng = random.Random("clicks/%d" % options.seed)
        self.tenants = Ranked(options.tenants, 1.0)
        self.devices = []
        self.all = []
        self.valid = {}
        population = Population(knobs, options.seed)
        people_count = options.clicks - int(options.clicks * knobs.bots)
        while len(self.all) < people_count:
            device = population.make()
            self.devices.append(device)
            if self.rng.random() < 1 / (1 + knobs.silent):
                self.click(device, people_count - len(self.all))
        self.devices.append(population.make())  # somebody never clicked
        self.households = population.household
        self.bot_clicks(population, options.clicks - people_count)
        self.sort_valid()

    def sort_valid(self):
        for click in sorted(self.all, key=newest_last):
            if click.is_valid:
                key = (click.device.name, click.tenant)
                self.valid.setdefault(key, []).append(click)

    def click(self, device, count_max):
        """The clicks of one device: its first, and now and then more."""
        rng = self.rng
        tenant = self.tenants.draw(rng)
        time_us = self.calendar.any_time()
        for _ in range(count_max):
            self.add(device, tenant, time_us, rng.random() >= self.knobs.invalid)
            if rng.random() >= 1 - 1 / self.knobs.clicks_per_device:
                return
            time_us += self.pause_us()
            if time_us >= self.calendar.end_us:
                time_us = self.calendar.any_time()
            if rng.random() < 0.12:
                tenant = self.tenants.draw(rng)

    def pause_us(self):
        """From a click to the device's next: the same minutes, the same day, or another."""
        mean_us = self.rng.choices((4 * MINUTE_US, 5 * HOUR_US, 60 * HOUR_US), (30, 30, 40))[0]
        return 1 + int(self.rng.expovariate(1 / mean_us))

    def add(self, device, tenant, time_us, is_valid):
        click = Event(device, tenant, time_us, True)
        click.is_valid = is_valid
        click.id = "k%016x" % number_of(self.seed, "click", len(self.all))
        self.all.append(click)

    def bot_clicks(self, population, count):
        rng = self.rng
        bots = []
        for number in range(1 + count // 40):
            bot = population.make()
            bot.name = "b%d" % (number + 1)
            bot.kind = "desktop"
            bot.system = "Windows"
            bot.model, bot.look = "Chrome", "bot-%d" % (number % 7)
            bots.append(bot)
        for _ in range(count):
            self.add(rng.choice(bots), self.tenants.draw(rng), self.calendar.any_time(),
                     rng.random() < 0.5)

    def truth(self, device, tenant, time_us):
        """The newest valid click of the device in the seven days up to the time, or None.

        Of clicks at one time the one with the smallest id counts as the newest.
        """
        own = self.valid.get((device.name, tenant), ())
        place = bisect.bisect_right(own, time_us, key=time_of)
        if place == 0 or own[place - 1].time_us <= time_us - WINDOW_US:
            return None
        return own[bisect.bisect_left(own, own[place - 1].time_us, key=time_of)]


class Conversions:
    """So many conversions, of which exactly the organic share have no truth."""

    def __init__(self, knobs, options, clicks):
        self.knobs = knobs
        self.clicks = clicks
        self.calendar = clicks.calendar
        self.rng = random.Random("conversions/%d" % options.seed)
        self.organic_left = int(options.conversions * options.organic + 0.5)
        self.brought_left = options.conversions - self.organic_left
        self.by_chance_left = min(self.brought_left, int(self.organic_left * knobs.coincidence))
        self.by_people = [click for click in clicks.all if click.device.name[0] == "d"]
        self.all = []
        if self.brought_left > 0 and not self.by_people:
            raise SystemExit("make_world.py: no click to follow; ask for more clicks")
        tries_left = 10000 + 100 * options.conversions
        while self.by_chance_left + self.brought_left + self.organic_left > 0:
            if self.by_chance_left > 0:
                self.by_chance()
            elif self.brought_left > 0:
                self.follow()
            else:
                self.organic()
            tries_left -= 1
            if tries_left == 0:
                raise SystemExit("make_world.py: too few clicks early enough to be followed, or "
                                 "too few devices without one; ask for more clicks or days")

    def add(self, device, tenant, time_us, followed):
        """Take the conversion if there is still room for its kind."""
        truth = self.clicks.truth(device, tenant, time_us)
        if truth is None and self.organic_left > 0:
            self.organic_left -= 1
        elif truth is not None and self.brought_left > 0:
            self.brought_left -= 1
        else:
            return False
        conversion = Event(device, tenant, time_us, False)
        conversion.truth = truth
        conversion.id = "v%016x" % number_of(self.clicks.seed, "conversion", len(self.all))
        if followed is not None and self.rng.random() < self.keeps_id(device):
            conversion.kept = truth or followed
        self.all.append(conversion)
        return True

    def keeps_id(self, device):
        return self.knobs.ids_ios if device.system == "iOS" else self.knobs.ids_other

    def by_chance(self):
        """A conversion that no ad brought, of a device that happens to have an active click."""
        click = self.rng.choice(self.by_people)
        time_us = click.time_us + self.rng.randrange(WINDOW_US)
        if click.is_valid and self.calendar.takes_conversion(time_us):
            self.by_chance_left -= self.add(click.device, click.tenant, time_us, None)

    def follow(self):
        """A conversion that a click brought; where that is over seven days old, an organic one."""
        rng, knobs = self.rng, self.knobs
        click = rng.choice(self.by_people)
        if rng.random() < knobs.prompt:
            delay_us = MINUTE_US * knobs.prompt_minutes * rng.lognormvariate(
                0, knobs.prompt_spread)
        else:
            delay_us = HOUR_US * knobs.later_hours * rng.lognormvariate(0, knobs.later_spread)
        time_us = click.time_us + 10**6 + int(delay_us)
        if self.calendar.takes_conversion(time_us):
            self.add(click.device, click.tenant, time_us, click)

    def organic(self):
        rng = self.rng
        device = rng.choice(self.clicks.devices)
        if device.kind == "mobile" and rng.random() >= self.knobs.organic_phones:
            return
        tenant = self.clicks.tenants.draw(rng)
        time_us = self.calendar.any_time()
        if self.calendar.takes_conversion(time_us) \
                and self.clicks.truth(device, tenant, time_us) is None:
            self.add(device, tenant, time_us, None)
