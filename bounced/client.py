"""What a sending program asks before each mail: `from bounced import Suppressions`. Over HTTP, or the database."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from email.utils import parseaddr
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self
from urllib.parse import quote

from bounced.address import normalise
from bounced.errors import ConfigError, StoreDown
from bounced.model import Suppression

if TYPE_CHECKING:
    from bounced.store import Store

#: Addresses asked about at once: as many as the HTTP interface takes.
_BATCH: Final = 10_000


class Table(Protocol):
    """Where the suppression table is asked. Addresses are normal; every method raises StoreDown."""

    def suppressed(self, addresses: Sequence[str], scope: str) -> set[str]:
        """Return those of the addresses that are suppressed in the scope."""

    def lookup(self, address: str, scope: str) -> Suppression | None:
        """Return the entry that holds, None if the address may be mailed."""

    def close(self) -> None:
        """Let go of every connection."""


class Suppressions:
    """Asks who must not be mailed; safe to share between threads.

    `url` is that of the HTTP interface (`http://127.0.0.1:8025`, with a `token` of scope `check`), or a database
    (`sqlite:////var/lib/bounced/bounced.db`, `postgresql://reader@db.example.org/bounced`). A database that keeps
    hashes for addresses is asked with their `key` (`privacy.key`); where only people who were forgotten are kept so,
    they are found with it too. The HTTP interface needs none.

    What cannot be answered raises StoreDown, with `fail_open` everybody may be mailed then. A wrong URL or token
    is a ConfigError and never open.
    """

    def __init__(  # noqa: PLR0913  each but the first has a name and a default
        self,
        url: str,
        *,
        token: str | None = None,
        scope: str = "*",
        fail_open: bool = False,
        timeout: float = 5.0,
        key: str | None = None,
    ) -> None:
        """Prepare, without connecting; `timeout` in seconds. Raises ConfigError for a URL of neither kind."""
        self.scope, self.fail_open = scope, fail_open
        web = url.startswith(("http://", "https://"))
        self._table: Table = _Web(url, token, timeout) if web else _Ledger(url, timeout, key)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def filter(self, addresses: Iterable[str]) -> list[str]:
        """Return those that may be mailed, in their order and as they were written; `Ann <ann@…>` is understood.

        Raises ValueError naming what is no mail address, StoreDown unless `fail_open`.
        """
        waiting, allowed = iter(addresses), list[str]()
        while some := list(islice(waiting, _BATCH)):
            normal = _all_normal(some)
            found = self._suppressed(sorted(set(normal)))
            allowed += (text for text, address in zip(some, normal, strict=True) if address not in found)
        return allowed

    def check(self, address: str) -> Suppression | None:
        """Return the entry that holds for the address, None if it may be mailed. Raises as `filter` does."""
        (normal,) = _all_normal([address])
        try:
            return self._table.lookup(normal, self.scope)
        except StoreDown:
            if self.fail_open:
                return None
            raise

    def why(self, address: str) -> str | None:
        """Return in one sentence why the address is suppressed, None if it may be mailed. Raises as `filter` does."""
        entry = self.check(address)
        if entry is None:
            return None
        until = f" until {entry.until:%Y-%m-%d}" if entry.until else ""
        return f"suppressed since {entry.since:%Y-%m-%d}{until} ({entry.reason}): {entry.why}"

    def close(self) -> None:
        """Let go of every connection."""
        self._table.close()

    def _suppressed(self, normal: Sequence[str]) -> set[str]:
        try:
            return self._table.suppressed(normal, self.scope)
        except StoreDown:
            if self.fail_open:
                return set()
            raise


class _Ledger:
    """The database itself, through the store."""

    def __init__(self, url: str, timeout: float, key: str | None) -> None:
        from bounced.config import Database
        from bounced.store import Store

        self._store = Store.open(Database(url=url, busy_timeout=timeout))
        self._key, self._prepared = key, key is None
        self.close = self._store.close

    def suppressed(self, addresses: Sequence[str], scope: str) -> set[str]:
        return set(self._asked().suppressed(addresses, scope))

    def lookup(self, address: str, scope: str) -> Suppression | None:
        found = self._asked().lookup(address, scope)
        return found and replace(found, address=address)

    def _asked(self) -> "Store":
        """Return the store, which asks in the form that the database has. Raises StoreDown."""
        if not self._prepared and self._key is not None:
            from bounced.sealing import Seal

            seal = Seal(self._key)
            if self._store.form() is None:
                self._store.pseudonym = seal.name
            else:
                self._store.seal = seal
            self._prepared = True
        return self._store


class _Web:
    """The HTTP interface."""

    def __init__(self, url: str, token: str | None, timeout: float) -> None:
        import httpx2

        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            self._http = httpx2.Client(base_url=url, headers=headers, timeout=timeout)
        except httpx2.InvalidURL as exc:
            raise ConfigError([f"url: {exc}"]) from exc
        self._errors, self.close = httpx2.HTTPError, self._http.close

    def suppressed(self, addresses: Sequence[str], scope: str) -> set[str]:
        asked = {"addresses": addresses, "scope": scope}
        return {match["address"] for match in self._ask("POST", "v1/suppressions/check", json=asked)["suppressed"]}

    def lookup(self, address: str, scope: str) -> Suppression | None:
        answer = self._ask("GET", f"v1/suppressions/{quote(address, safe='@')}", params={"scope": scope})
        return _entry(answer["suppression"]) if answer["suppressed"] else None

    def _ask(self, method: str, path: str, **content: Any) -> Mapping[str, Any]:
        """Return the answer. Raises StoreDown for what may be well later, ConfigError for what never will."""
        try:
            answer = self._http.request(method, path, **content)
            if answer.status_code == 429 or answer.status_code >= 500:
                raise StoreDown(f"{self._http.base_url} answers {answer.status_code}")
            if answer.status_code != 200:
                raise ConfigError([f"{self._http.base_url} answers {answer.status_code}: {answer.text[:300]}"])
            told: Mapping[str, Any] = answer.json()
        except (self._errors, ValueError) as exc:
            raise StoreDown(f"{self._http.base_url} cannot be asked: {exc}") from exc
        return told


def mail_address(text: str) -> str | None:
    """Return the normal form of an address, also of one with a name beside it; None for anything else."""
    return normalise(text) or normalise(parseaddr(text)[1])


def _all_normal(texts: Sequence[str]) -> list[str]:
    """Return the normal form of each address. Raises ValueError naming what is none: it is never taken for free."""
    pairs = [(text, mail_address(text)) for text in texts]
    bad = [text for text, address in pairs if address is None]
    if bad:
        raise ValueError(f"no mail address: {', '.join(map(repr, bad[:20]))}")
    return [address for _, address in pairs if address is not None]


def _entry(told: Mapping[str, Any]) -> Suppression:
    """Return the entry that the HTTP interface tells of; fields that a later one adds are left out."""
    times = dict(_times(told))
    names = ("address", "scope", "category", "reason", "event_id", "why", "actor")
    return Suppression(**{name: told[name] for name in names}, **times)


def _times(told: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in ("since", "until", "disputed"):
        text = told.get(name)
        yield name, datetime.fromisoformat(text) if text else None
