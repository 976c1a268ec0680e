"""Lists that are brought to the page: read by the exchange, taken in by the store."""

from datetime import UTC, datetime, timedelta

from bounced.config import Config
from bounced.exchange import Doubt, Sorting, open_source
from bounced.exchange.layouts import LAYOUTS
from bounced.serve.importing import Importing, ListGiven, ListTold
from bounced.store import Store, Terms


def importing(config: Config, store: Store) -> Importing:
    """Return what takes in lists by this configuration."""
    return Importing(
        forms={layout.name: layout.title for layout in LAYOUTS},
        look=lambda given: _read(config, store, given, None),
        take=lambda given, actor: _read(config, store, given, actor),
    )


def _read(config: Config, store: Store, given: ListGiven, actor: str | None) -> ListTold:
    """Read a list; with an actor, take it in, unless lines are refused that are not to be left out."""
    days = config.policy.soft.suppress_days
    passing = None if days is None else timedelta(days=days)
    terms = Terms(f"import {given.name} by {actor}", datetime.now(UTC), given.scope, passing)
    with given.file.open("rb") as stream:
        source = open_source(stream, given.form)
        if isinstance(source, Doubt):
            return ListTold(doubt=source.why)
        sorting = Sorting(config.policy.allow)
        with store.taking_in(terms) as intake:
            intake.add(sorting.passing(source.rows()))
            takes = actor is not None and (given.skip_bad or not sorting.refused)
            taken = intake.commit() if takes else intake.plan()
    return ListTold(
        title=f"{source.layout.title} ({source.form})",
        taken=taken,
        entries=sorting.entries,
        refused=sorting.refused,
        first=[(row.line, row.why, row.text) for row in sorting.first],
        left=dict(sorting.left),
        done=takes,
    )
