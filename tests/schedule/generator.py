"""Schedules by chance, from a seed: each with a zone, a start near something awkward, and what the reference's classes
may do with it."""
import datetime
import random

# Zones whose rules the reference's own copies (pendulum's of 2020, pytz's) and the system's agree on, and where summer
# time is the later time.
ZONES = ["UTC", "America/New_York", "America/Los_Angeles", "America/Chicago", "America/Denver", "America/Halifax",
         "America/St_Johns", "America/Havana", "America/Phoenix", "America/Sao_Paulo", "Europe/London", "Europe/Paris",
         "Europe/Madrid", "Europe/Helsinki", "Europe/Athens", "Asia/Jerusalem", "Asia/Beirut", "Asia/Tokyo",
         "Asia/Kolkata", "Asia/Kathmandu", "Australia/Sydney", "Australia/Adelaide", "Australia/Lord_Howe",
         "Pacific/Auckland", "Pacific/Chatham", "Antarctica/Troll", "Africa/Johannesburg", "Atlantic/Azores", "EST5EDT",
         "Etc/GMT+5"]
UTC = datetime.timezone.utc
WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def one(self, *choices):
        return self.random.choice(choices)

    def some(self, values, most):
        values = list(values)
        return sorted(self.random.sample(values, self.random.randint(1, min(most, len(values)))))

    def chance(self, share):
        return self.random.random() < share

    def start(self):
        """Near the changes of clocks, month ends, leap days, or anywhere from 2019 to 2031."""
        year = self.random.randint(2019, 2031)
        day = self.one((3, self.random.randint(5, 15)), (3, self.random.randint(24, 31)),
                       (4, self.random.randint(1, 8)), (9, self.random.randint(22, 30)),
                       (10, self.random.randint(1, 8)),
                       (10, self.random.randint(22, 31)), (11, self.random.randint(1, 8)), (2, 28), (12, 31), (1, 30),
                       (self.random.randint(1, 12), self.random.randint(1, 28)))
        start = datetime.datetime(year, *day, self.random.randint(0, 23), self.one(0, 30, self.random.randint(0, 59)),
                                  self.one(0, 0, self.random.randint(0, 59)), tzinfo=UTC)
        return start + datetime.timedelta(microseconds=self.one(0, 0, 0, 1, 500000, self.random.randint(0, 999999)))

    # ---- intervals ----

    def interval(self, start):
        days = datetime.timedelta(days=self.random.randint(1, 400))
        seconds = datetime.timedelta(seconds=self.one(1, 60, 900, 1200, 1500, 3600, 5400, 7200, 43200, 86399, 86400,
                                                      604800, self.random.randint(1, 200000)))
        interval = self.one(seconds, seconds, days, days + seconds,
                            datetime.timedelta(seconds=self.random.uniform(0.1, 100000)))
        anchor = start + datetime.timedelta(seconds=self.random.randint(-10**8, 10**7),
                                            microseconds=self.one(0, 0, self.random.randint(0, 999999)))
        anchor = anchor.astimezone(datetime.timezone(datetime.timedelta(minutes=self.one(0, 0, -300, 330, 60))))
        return {"interval": interval.total_seconds(), "anchor_date": anchor.isoformat()}

    # ---- cron ----

    def cron_value(self, low, high, names=()):
        value = self.random.randint(low, high)
        return self.one(*names).swapcase() if names and self.chance(0.3) else str(value)

    def cron_item(self, low, high, names=()):
        value = self.cron_value(low, high, names)
        kind = self.random.randint(0, 9)
        if kind < 5:
            return value
        if kind < 7:
            return "*/" + str(self.random.randint(1, high + 1))
        if kind < 9:
            return f"{value}-{self.cron_value(low, high, names)}" + self.one("", "", "/2", "/3", "/7")
        return f"{value}/{self.random.randint(1, high)}"

    def cron_field(self, low, high, names=()):
        if self.chance(0.3):
            return "*"
        return ",".join(self.cron_item(low, high, names) for _ in range(self.one(1, 1, 1, 2, 3)))

    def cron_day(self):
        return self.one("*", "*", "?", "l", "L", "29", "30", "31", "15w", "W1", "31W", "l,15", "28-l", "1-7",
                        self.cron_field(1, 31))

    def cron_weekday(self):
        names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        return self.one("*", "*", "*", "?", "5#2", "mon#1,3#5", "l5", "L0,l3", "mon-fri", "fri-mon", "sun-tue",
                        "mon-fri#1", "7", "5-7", "0-7", self.cron_field(0, 7, names))

    def cron(self, start):
        months = ["jan", "feb", "mar", "apr", "jun", "oct", "nov", "dec"]
        minute = self.one("0", "30", "*/15", "0,30", "*", self.cron_field(0, 59))
        hour = self.one("*", "*", "0", "1", "2", "3", "1,2", "1-3", "*/6", self.cron_field(0, 23))
        fields = [minute, hour, self.cron_day(), self.one("*", "*", "*", "2", self.cron_field(1, 12, months)),
                  self.cron_weekday()]
        if self.chance(0.15):
            fields.append(self.one("0", "*/20", "15,45", self.cron_field(0, 59)))
            if self.chance(0.4):
                fields.append(self.one("*", f"{start.year}-{start.year + 4}", str(start.year + 1), "*/2",
                                       self.cron_field(2020, 2035)))
        text = self.one(" ", " ", "  ").join(fields) if self.chance(0.97) \
            else self.one("@daily", "@HOURLY", "@weekly", "@monthly", "@yearly", "@annually", "@midnight")
        return {"cron": text, "day_or": self.chance(0.8)}

    def mutate(self, text):
        for _ in range(self.random.randint(1, 3)):
            at, character = self.random.randint(0, len(text)), self.one(*"0123456789*/-,#lLwW? rRhH()monfrijn@")
            text = text[:at] + self.one(character + text[at:], text[at + 1:], character + text[at + 1:])
        return text

    # ---- recurrence rules ----

    def rule(self, frequency):
        parts = [f"FREQ={frequency}"]
        fine = frequency in ("HOURLY", "MINUTELY", "SECONDLY")
        if self.chance(0.5):
            parts.append(f"INTERVAL={self.one(1, 2, 3, 5, 7, 12, 40) if fine else self.one(1, 2, 2, 3, 4)}")
        for name, values, most, share in (
                ("BYMONTH", range(1, 13), 4, 0.25), ("BYMONTHDAY", [*range(1, 32), *range(-31, 0)], 4, 0.25),
                ("BYYEARDAY", [1, 60, 100, 200, 365, 366, -1, -366, -100], 3, 0.08),
                ("BYWEEKNO", [1, 2, 10, 20, 52, 53, -1, -2], 3, 0.08), ("BYHOUR", range(24), 3, 0.25),
                ("BYMINUTE", range(0, 60, 5), 3, 0.2), ("BYSECOND", [0, 15, 30, 59], 2, 0.1),
                ("BYEASTER", [-47, -2, 0, 1, 39, 49, -100], 2, 0.04)):
            if self.chance(share):
                parts.append(f"{name}={','.join(map(str, self.some(values, most)))}")
        if self.chance(0.4):
            days = self.some(WEEKDAYS, 3)
            if self.chance(0.4):
                days = [self.one(f"{self.one(1, 2, 3, 4, 5, -1, -2)}{day}", f"+1{day}", f"{day}(-1)", day)
                        for day in days]
            parts.append("BYDAY=" + ",".join(days))
        if self.chance(0.2):
            parts.append(f"BYSETPOS={','.join(map(str, self.some([1, 2, 3, -1, -2], 2)))}")
        if self.chance(0.2):
            parts.append(f"WKST={self.one(*WEEKDAYS)}")
        self.random.shuffle(parts)
        return ";".join(parts)

    def moment(self, near, spread):
        moment = near.replace(microsecond=0) + datetime.timedelta(seconds=self.random.randint(-spread, spread))
        return moment.strftime(self.one("%Y%m%dT%H%M%S", "%Y%m%dT%H%M%S", "%Y%m%dT%H%M00", "%Y%m%d"))

    def rrule(self, start):
        frequency = self.one("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY")
        spread = {"YEARLY": 10**8, "MONTHLY": 10**8, "WEEKLY": 10**8, "DAILY": 3 * 10**7, "HOURLY": 10**6,
                  "MINUTELY": 10**5, "SECONDLY": 10**4}[frequency]
        zulu = self.one("", "", "Z")
        parameter = self.one("", "", "", ";TZID=America/New_York", ";VALUE=DATE-TIME") if not zulu else ""
        lines = [f"DTSTART{parameter}:{self.moment(start, spread)}{zulu}"]
        zulu = "Z" if "TZID" in parameter else zulu
        if "T" not in lines[0].split(":")[1]:
            lines[0] = lines[0].rstrip("Z")
            zulu = "Z" if "TZID" in parameter else ""
        rule = self.rule(frequency)
        if self.chance(0.2):
            rule += f";COUNT={self.random.randint(0, 200)}"
        elif self.chance(0.2):
            until = self.moment(start + datetime.timedelta(seconds=spread), spread)
            rule += f";UNTIL={until}" + ("T000000" if zulu and "T" not in until else "") + zulu
        lines.append(self.one("RRULE:", "RRULE:", "") + rule)
        if self.chance(0.15):
            lines.append("RRULE:" + self.rule(self.one("DAILY", "WEEKLY", "MONTHLY") if frequency != "SECONDLY"
                                              else "HOURLY"))
        if self.chance(0.15):
            lines.append("RDATE:" + ",".join(self.moment(start, spread) for _ in range(3)))
        if self.chance(0.15):
            lines.append("EXDATE:" + ",".join(self.moment(start, spread) for _ in range(3)))
        if self.chance(0.12):
            lines.append("EXRULE:" + self.rule(self.one("DAILY", "WEEKLY", "MONTHLY")))
        return {"rrule": self.one("\n", "\n", " ").join(lines)}

    def request(self, kind, n):
        start = self.start()
        schedule = getattr(self, kind)(start)
        zone = self.one(None, *ZONES)
        if zone:
            schedule["timezone"] = zone
        end = (start + datetime.timedelta(seconds=self.random.randint(0, 10**8))).isoformat() if self.chance(0.2) \
            else None
        return {"schedule": schedule, "start": start.isoformat(), "end": end, "n": n}
