"""Who runs a recipient's mailbox, told from its domain and from the host that answered.

The table is data: `providers.csv` with the columns provider, kind (`domain` or `mx`) and suffix. A suffix fits whole
labels only: `example.com` fits `mx.example.com`, never `badexample.com`.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bounced.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Providers:
    """Domain and host suffixes with the provider behind each."""

    domains: dict[str, str] = field(default_factory=dict)
    hosts: dict[str, str] = field(default_factory=dict)

    def of(self, domain: str | None, mta: str | None) -> str | None:
        """Return who runs the mailboxes of `domain`: by the domain if it is known, else by the host that answered."""
        return _longest(self.domains, domain) or self.of_host(mta)

    def of_host(self, mta: str | None) -> str | None:
        """Return whose machine a host is; None where nobody knows."""
        return _longest(self.hosts, mta) or _longest(self.domains, mta)


def load_providers(paths: Iterable[Path]) -> Providers:
    """Return the table; a later file adds to the earlier ones and wins. Raises ConfigError naming file and line."""
    providers = Providers()
    problems: list[str] = []
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            for row in (rows := csv.DictReader(file)):
                table = {"domain": providers.domains, "mx": providers.hosts}.get(row.get("kind") or "")
                if table is None or not row.get("provider") or not row.get("suffix"):
                    problems.append(f"{path.name}:{rows.line_num}: want provider,domain|mx,suffix")
                    continue
                table[row["suffix"].lower().strip(".")] = row["provider"]
    if problems:
        raise ConfigError(problems)
    return providers


def _longest(table: dict[str, str], name: str | None) -> str | None:
    """Return the entry of the longest suffix of `name`, cut at labels."""
    name = (name or "").lower().strip(". ")
    while name:
        if name in table:
            return table[name]
        name = name.partition(".")[2]
    return None
