"""Whose report it is: signing keys, our domains, whom to believe, and which headers name a campaign."""

from typing import Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from bounced.config.base import Domain, Pattern, Reporter, SecretSetting, Section


class SigningKey(Section):
    """One key for return paths. The first in the list that is still valid signs; all that are valid verify."""

    id: str = Field(pattern=r"^[a-z0-9]{1,4}$")
    secret: SecretSetting
    not_after: AwareDatetime | None = None


class SentWith(Section):
    """A campaign that short tokens may name: they carry a mark of it, this says what the mark stands for."""

    campaign: str | None = None
    list: str | None = None
    categories: tuple[str, ...] = ()
    stream: str | None = None


class Signing(Section):
    """Signed return paths. `domains` are those of the return paths, the first one is signed with."""

    keys: tuple[SigningKey, ...] = ()
    domains: tuple[Domain, ...] = ()
    prefix: str = Field(default="b", pattern=r"^[a-z0-9]{1,11}$")
    delimiter: Literal["+", "-", "="] = "+"
    valid_days: int = Field(default=30, ge=1, le=3650)
    require: bool = False
    unsigned_per_source: int | None = Field(default=1_000, ge=1)
    campaigns: tuple[SentWith, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        ids = [key.id for key in self.keys]
        if len(ids) != len(set(ids)):
            raise ValueError("keys: each id stands for one key")
        if self.keys and not self.domains:
            raise ValueError("domains: want the domain of the return paths, since keys are set")
        return self


class SentRecords(Section):
    """The sender's records of mails, kept for so many days after a mail left."""

    keep_days: int = Field(default=120, ge=1, le=3650)


TagName = Literal["campaign", "list", "categories", "stream"]


class HeaderTag(Section):
    """A header field of the original that says something of the mail.

    `kind` text takes the whole value, json the value at `path` (`unique_args.campaign`), regex the first group of
    `pattern`. `split` cuts the value into several categories.
    """

    header: str = Field(pattern=r"^[!-9;-~]{1,76}$")
    tag: TagName
    kind: Literal["text", "json", "regex"] = "text"
    path: str | None = None
    pattern: Pattern | None = None
    split: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.kind == "json") != (self.path is not None):
            raise ValueError("path: goes with kind json, and is required there")
        if (self.kind == "regex") != (self.pattern is not None):
            raise ValueError("pattern: goes with kind regex, and is required there")
        return self


class SubjectTag(Section):
    """Ties a mail without such headers to a campaign by its subject: `exact`, or a `pattern` found in it."""

    exact: str | None = None
    pattern: Pattern | None = None
    campaign: str | None = None
    list: str | None = None
    categories: tuple[str, ...] = ()
    stream: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.exact is None) == (self.pattern is None):
            raise ValueError("want exactly one of exact, pattern")
        return self


class Tagging(Section):
    """What becomes campaign, list, categories and stream. `headers` go before the shipped ones."""

    headers: tuple[HeaderTag, ...] = ()
    shipped_headers: bool = True
    subjects: tuple[SubjectTag, ...] = ()
    default_campaign: str | None = "Transactional campaign"
    default_list: str | None = "Transactional campaign recipients"


class Correlation(Section):
    """Whose report it is. `domains` are the ones we send from; `authserv_id` the name our own mail server signs its
    Authentication-Results with, the only ones believed; `reporters` whose complaints count for any recipient, each the
    domain or the whole address of a From that DKIM confirms."""

    domains: tuple[Domain, ...] = ()
    authserv_id: str | None = Field(default=None, min_length=1)
    reporters: tuple[Reporter, ...] = (
        "arf.mail.yahoo.com",
        "staff@hotmail.com",
        "senderscore.net",
        "email-abuse.amazonses.com",
    )
    signing: Signing = Signing()
    sent: SentRecords = SentRecords()
    tags: Tagging = Tagging()
