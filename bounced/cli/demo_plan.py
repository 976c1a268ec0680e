"""The plan of the demo's history: which mails come back when, drawn by one seed from the world in demo_world. Pure."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import product

from bounced.cli.demo_forms import Failed, Original, complaint, nested, out_of_office, person, report, unsubscribe
from bounced.cli.demo_mailings import AWAY, BAD_LIST, LETTERS, MAILINGS, SALE, Crowd, Mailing
from bounced.cli.demo_world import (
    FIRST_NAMES,
    GMX_GONE_WRONG,
    GOOGLE_GONE_WRONG,
    LAST_NAMES,
    MICROSOFT_BLOCKS,
    PROVIDERS,
    PUZZLES,
    YAHOO_REFUSES,
    Answer,
    Provider,
)
from bounced.model import SentCount

#: How long the history is, and the number that all chance in it hangs on.
DAYS, SEED = 90, 1982
#: The mailboxes that are polled: the return path, and the address of the feedback loops.
RETURNS, FEEDBACK = "returns", "feedback"
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
#: Days before the end on which something happens; a mailing of that week is taken where one is meant.
_FAIR, _OUTAGE, _BLOCKED = 62, 37, 18
#: How long before the end the sale was sent of which the page tells.
_SALE_AGO = timedelta(minutes=100)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A mail that arrives in a mailbox."""

    at: datetime
    mailbox: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Sending:
    """A mailing on one day: `week` counts from the first of the history."""

    mailing: Mailing
    at: datetime
    week: int
    campaign: str
    subject: str

    def amount(self, provider: Provider) -> float:
        """Return to how many at this provider it went."""
        return self.mailing.amount * (1 + self.mailing.grows) ** self.week * provider.share


class Plan:
    """Everything that comes back in so many days before `end`, in order, and what was sent. The same for one seed."""

    def __init__(self, end: datetime, days: int, seed: int) -> None:
        self._rng = random.Random(seed)  # noqa: S311  a story, no secret
        self.end = self._end = end
        self._days, self._number = days, 0
        self._people = {provider.name: self._inhabitants(provider) for provider in PROVIDERS}
        self._arrivals: list[Arrival] = []
        self.crises: list[datetime] = []
        self._sent: Counter[tuple[date, str, str, str, str]] = Counter()
        self.sendings = sorted(self._calendar(), key=lambda sending: sending.at)
        for sending in self.sendings:
            self._send(sending)
        self._crises(Crowd())
        self._oddities(Crowd())
        since = end - days * _DAY
        self.arrivals = sorted((a for a in self._arrivals if since < a.at < end), key=lambda arrival: arrival.at)

    @property
    def sent(self) -> list[SentCount]:
        """How many mails were sent, by day, campaign, list, category and provider."""
        return [SentCount(day, amount, *told) for (day, *told), amount in self._sent.items()]

    def somebody(self) -> str:
        """Return the address of a reader whose mail never failed."""
        return next(self._people[self._rng.choices(PROVIDERS, [p.share for p in PROVIDERS])[0].name])

    def _inhabitants(self, provider: Provider) -> Iterator[str]:
        """Yield addresses at a provider, each once."""
        names = [f"{first}.{last}" for first, last in product(FIRST_NAMES, LAST_NAMES)]
        everybody = [f"{name}@{domain}" for name in names for domain in provider.domains]
        self._rng.shuffle(everybody)
        yield from everybody

    def _calendar(self) -> Iterator[Sending]:
        first = (self._end - self._days * _DAY).replace(hour=0, minute=0, second=0, microsecond=0)
        for day in range(self._days + 1):
            date = first + day * _DAY
            for mailing in MAILINGS:
                at = date + mailing.hour * _HOUR + self._rng.randrange(10) * _MINUTE
                if at < self._end - 2 * _HOUR and (not mailing.weekdays or date.weekday() in mailing.weekdays):
                    yield self._sending(mailing, at, day)
        yield self._sending(SALE, self._end - _SALE_AGO, self._days)
        if self._days < _FAIR:
            return
        fair = (self._end - _FAIR * _DAY).replace(hour=BAD_LIST.hour, minute=4, second=0, microsecond=0)
        yield self._sending(BAD_LIST, fair, self._days - _FAIR)

    def _sending(self, mailing: Mailing, at: datetime, day: int) -> Sending:
        turn = min(day * len(mailing.campaigns) // self._days, len(mailing.campaigns) - 1)
        subject = mailing.subjects[(day // 7) % len(mailing.subjects)]
        return Sending(mailing, at, day // 7, mailing.campaigns[turn], subject)

    def _send(self, sending: Sending) -> None:
        """Count what was sent, and draw what comes back."""
        mailing = sending.mailing
        for provider in PROVIDERS:
            amount = sending.amount(provider) * self._rng.uniform(0.97, 1.03)
            told = sending.campaign, mailing.list_name, mailing.category, provider.name
            self._sent[sending.at.date(), *told] += round(amount)
            for _ in self._some(amount * mailing.hard):
                answer = self._rng.choices(provider.dead, provider.weights)[0]
                self._fail(sending, next(self._people[provider.name]), answer, self._soon(sending))
            for _ in self._some(amount * mailing.soft):
                answer = self._rng.choice((*provider.soft, provider.full))
                self._fail(sending, next(self._people[provider.name]), answer, self._soon(sending))
            self._answer(sending, provider, amount)

    def _answer(self, sending: Sending, provider: Provider, amount: float) -> None:
        """Draw what people do: complain, be away, leave."""
        mailing, people = sending.mailing, self._people[provider.name]
        worse = 12 if mailing is BAD_LIST else 0 if mailing.stream == "transactional" else 1
        for _ in self._some(amount * provider.complaint_rate * worse if provider.reporter else 0):
            at, original = self._later(sending), self._original(sending, next(people))
            self._arrive(at, complaint(at, original, provider.reporter or ""), FEEDBACK)
        for _ in self._some(amount * mailing.answers):
            at, original = self._soon(sending), self._original(sending, next(people))
            self._arrive(at, out_of_office(at, original, self._rng.choice(AWAY)))
        for _ in self._some(amount * mailing.leaves):
            at, original = self._later(sending), self._original(sending, next(people))
            self._arrive(at, unsubscribe(at, original))

    def _crises(self, crowd: Crowd) -> None:
        """Draw the two outages, the block list and the refusals of the last hour, and the mailboxes that are full."""
        letter, offers, sale = MAILINGS[0], MAILINGS[1], self.sendings[-1]
        if self._days > _OUTAGE:
            outage, blocked = self._near(letter, _OUTAGE), self._near(offers, _BLOCKED)
            self._crowd(outage, "google", GOOGLE_GONE_WRONG, crowd.outage, 150)
            self._crowd(blocked, "m365", MICROSOFT_BLOCKS, crowd.blocked, 55)
            self.crises += [outage.at, blocked.at]
        self._crowd(sale, "gmx", GMX_GONE_WRONG, crowd.outage_now, 80)
        self._crowd(sale, "yahoo", YAHOO_REFUSES, crowd.refused, 50)
        regular = [each for each in self.sendings if each.mailing in (letter, offers)]
        for _ in range(crowd.full):
            self._overflow(regular)

    def _overflow(self, regular: Sequence[Sending]) -> None:
        """Let a mailbox be full for five mailings running; then it is not mailed for a month, and may be full still."""
        provider = self._rng.choices(PROVIDERS, [p.share for p in PROVIDERS])[0]
        address, start = next(self._people[provider.name]), self._rng.randrange(len(regular))
        for sending in regular[start : start + 5]:
            self._fail(sending, address, provider.full, self._soon(sending))
        again = [s for s in regular[start + 5 :] if s.at > regular[start + 4].at + 32 * _DAY]
        if again and self._rng.random() < 0.5:
            self._fail(again[0], address, provider.full, self._soon(again[0]))

    def _crowd(self, sending: Sending, name: str, answer: Answer, amount: int, minutes: int) -> None:
        for _ in range(amount):
            at = sending.at + self._rng.uniform(4, minutes) * _MINUTE
            self._fail(sending, next(self._people[name]), answer, at)

    def _oddities(self, crowd: Crowd) -> None:
        """Draw what nobody understands, what breaks readers, and what people write."""
        regular = [each for each in self.sendings if each.mailing in MAILINGS[:2]]
        for answer, amount in zip(PUZZLES, crowd.puzzles, strict=True):
            address = next(self._people["others"])
            for sending in sorted(self._rng.sample(regular, min(amount, len(regular))), key=lambda each: each.at):
                address = address if self._rng.random() < 0.5 else next(self._people["others"])
                self._fail(sending, address, answer, self._soon(sending))
        for days in (71, 28, 4):
            at = self._end - days * _DAY - 3 * _HOUR
            if days < self._days:
                self._arrive(at, nested(at))
        for days, letter in zip((2, 9), LETTERS, strict=True):
            at = self._end - days * _DAY - 5 * _HOUR
            self._arrive(at, person(at, letter.who, letter.subject, letter.text))

    def _near(self, mailing: Mailing, days: int) -> Sending:
        mine = [each for each in self.sendings if each.mailing is mailing]
        return min(mine, key=lambda each: abs(each.at - (self._end - days * _DAY)))

    def _fail(self, sending: Sending, address: str, answer: Answer, at: datetime) -> None:
        words = {"address": address, "domain": address.partition("@")[2], "number": self._rng.randrange(1000, 99999)}
        host = answer.host.format(**words) if answer.host else None
        failed = Failed(address, host, answer.said.format(**words), answer.status)
        self._arrive(at, report(at, self._original(sending, address), failed))

    def _arrive(self, at: datetime, content: bytes, mailbox: str = RETURNS) -> None:
        self._arrivals.append(Arrival(at + self._rng.uniform(1, 9) * timedelta(seconds=1), mailbox, content))

    def _original(self, sending: Sending, address: str) -> Original:
        self._number += 1
        mailing = sending.mailing
        headers = {
            "List-Id": f"<{mailing.list_name}>",
            "X-Campaign": sending.campaign,
            "X-Category": mailing.category,
            "X-Stream": mailing.stream,
        }
        return Original(address, sending.at, f"{sending.at:%Y%m%d}.{self._number}", sending.subject, headers)

    def _soon(self, sending: Sending) -> datetime:
        """Return a time after a mailing: most reports come within the hour."""
        return sending.at + min(self._rng.expovariate(1 / 35) + 1, 600) * _MINUTE

    def _later(self, sending: Sending) -> datetime:
        """Return a time after a mailing at which people have read it."""
        return sending.at + min(self._rng.expovariate(1 / 9) + 0.3, 60) * _HOUR

    def _some(self, expected: float) -> range:
        """Return as many as are expected, by chance one more or less."""
        spread = self._rng.gauss(expected, expected**0.5 * 0.6) if expected > 1 else expected
        whole = max(0.0, spread)
        return range(int(whole) + (self._rng.random() < whole % 1))
