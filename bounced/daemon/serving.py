"""What is asked over HTTP, made from one configuration: the desk of the HTTP interface."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bounced.changing import change, witness
from bounced.config import Config
from bounced.correlate import Mail, Purpose
from bounced.daemon.importing import importing
from bounced.daemon.judging import Judges
from bounced.daemon.reviewing import review, shown
from bounced.daemon.wiring import told
from bounced.errors import Unreadable
from bounced.model import Change, Place, RawMessage, Tags, Wave, WaveState
from bounced.pipeline import Failure, Stages
from bounced.results import of_mail, of_verdict
from bounced.return_paths import ReturnPaths
from bounced.serve.desk import Desk, Mint
from bounced.store import Store
from bounced.watching import conclude

if TYPE_CHECKING:
    from bounced.classify import Rules

_HERE = Place("http", "", 0, 0)


def desk(  # noqa: PLR0913  one configuration, and what is at work for it
    config: Config,
    stages: Stages,
    store: Store,
    rules: "Rules",
    judges: Judges,
    reload: Callable[[], None] | None = None,
) -> Desk:
    """Return what the HTTP interface asks: the store, and the stages as this configuration wants them."""

    def commit(changes: Sequence[Change], now: datetime) -> None:
        change(changes, store, stages.compose, now)

    def settle(wave: Wave, state: WaveState, actor: str, now: datetime) -> Sequence[Change]:
        return conclude(wave, state, actor, stages, now)

    def judge(content: bytes) -> Mapping[str, Any]:
        ((judgement, _),) = judges.judge([RawMessage(_HERE, content, len(content))])
        if isinstance(judgement, Failure):
            raise Unreadable(judgement.why)
        return of_mail(judgement)

    def judge_reply(reply: str, mta: str | None, recipient: str | None) -> Mapping[str, Any]:
        return of_verdict(rules.classify_reply(reply, mta, recipient))

    return Desk(
        store=store,
        commit=commit,
        witness=lambda signs, now: witness(signs, stages, now),
        conclude=settle,
        judge=judge,
        judge_reply=judge_reply,
        message_bytes=config.limits.message_bytes,
        sign=_mint(ReturnPaths(config.correlation.signing)) if config.correlation.signing.keys else None,
        http=config.http,
        review=review(config, store, rules),
        rules=shown(rules),
        endpoints=config.webhooks,
        reload=reload,
        policy=config.policy,
        tell=told,
        importing=importing(config, store),
        zone=config.reports.zone,
    )


def _mint(paths: ReturnPaths) -> Mint:
    def mint(
        recipient: str, tags: Tags, message_id: str | None, purpose: str
    ) -> tuple[str, str | None, dict[str, str]]:
        mail = Mail(recipient, tags, message_id)
        if purpose != Purpose.BOUNCE:
            return paths.sign(mail, Purpose(purpose)), None, {}
        made = paths.stamp(mail)
        return made.return_path, made.envid, made.headers

    return mint
