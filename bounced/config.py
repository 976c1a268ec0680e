"""config.yaml -> one validated object. Alone reads the environment, secret files and systemd credentials."""

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

import re2
import yaml
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    ValidationError,
    model_validator,
)

from bounced.address import normalise, normalise_domain
from bounced.errors import ConfigError
from bounced.model import Reason

_QUIET = re2.Options()
_QUIET.log_errors = False


def _domain(value: object) -> object:
    normal = normalise_domain(value) if isinstance(value, str) else None
    if normal is None:
        raise ValueError("want a domain name")
    return normal


def _reporter(value: object) -> object:
    if isinstance(value, str) and "@" in value:
        normal = normalise(value)
        if normal is None:
            raise ValueError("want a domain name or a mail address")
        return normal
    return _domain(value)


def _pattern(value: str) -> str:
    try:
        re2.compile(value, _QUIET)
    except re2.error as exc:
        raise ValueError(f"is no regular expression (RE2): {exc}") from exc
    return value


Domain = Annotated[str, BeforeValidator(_domain)]
Reporter = Annotated[str, BeforeValidator(_reporter)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0)]

#: What a problem never shows, since it may hold a secret that was written in the wrong form.
_PRIVATE = re.compile("secret|password|token|key")


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Secret(Section):
    """Where a secret is kept: one of a file, an environment variable, a systemd credential, or the value itself."""

    file: Path | None = None
    env: str | None = None
    credential: str | None = None
    value: str | None = Field(default=None, repr=False)
    _environ: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(x is not None for x in (self.file, self.env, self.credential, self.value)) != 1:
            raise ValueError("want exactly one of file, env, credential, value")
        return self

    def read(self) -> str:
        """Return the secret, read afresh, without the final line break. Raises ConfigError if it is not there."""
        if self.value is not None:
            return self.value
        if self.env is not None:
            if self.env not in self._environ:
                raise ConfigError([f"environment variable {self.env} is not set"])
            return self._environ[self.env]
        path = self._path()
        try:
            return path.read_text().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as exc:
            raise ConfigError([f"cannot read the secret in {path}: {exc}"]) from exc

    def _path(self) -> Path:
        if self.file is not None:
            return self.file
        folder = self._environ.get("CREDENTIALS_DIRECTORY")
        if folder is None:
            raise ConfigError(
                [f"credential {self.credential}: no CREDENTIALS_DIRECTORY; start by systemd, or use file:"]
            )
        return Path(folder, self.credential or "")


def _secret(value: object) -> object:
    return {"value": value} if isinstance(value, str) else value


SecretSetting = Annotated[Secret, BeforeValidator(_secret)]


class Database(Section):
    url: str = "sqlite:///bounced.db"
    busy_timeout: Seconds = 10
    pool_size: int = Field(default=5, ge=1, le=100)


class MicrosoftToken(Section):
    tenant: str
    client_id: str
    client_secret: SecretSetting
    authority: str = "https://login.microsoftonline.com"
    scope: str = "https://outlook.office365.com/.default"


class GoogleToken(Section):
    service_account_file: Path
    subject: str
    scope: str = "https://mail.google.com/"


class OAuth(Section):
    mechanism: Literal["xoauth2", "oauthbearer"] = "oauthbearer"
    token: SecretSetting | None = None
    microsoft: MicrosoftToken | None = None
    google: GoogleToken | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(x is not None for x in (self.token, self.microsoft, self.google)) != 1:
            raise ValueError("want exactly one of token, microsoft, google")
        return self


class After(Section):
    """What is done with a message once its effect is committed."""

    mode: Literal["move", "flag", "leave"] = "move"
    processed: str = "Processed"
    review: str = "Review"
    quarantine: str = "Quarantine"
    flag: str = "$BouncedSeen"


class ImapMailbox(Section):
    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    kind: Literal["imap"] = "imap"
    host: str
    port: Port | None = None
    security: Literal["tls", "starttls", "plain"] = "tls"
    allow_plaintext_to_remote_host: bool = False
    ca_file: Path | None = None
    user: str
    password: SecretSetting | None = None
    oauth: OAuth | None = None
    folders: tuple[str, ...] = ("INBOX",)
    poll_every: Seconds = 60
    idle: bool = True
    batch: int = Field(default=200, ge=1, le=2000)
    timeout: Seconds = 60
    after: After = After()

    @model_validator(mode="after")
    def _sane(self) -> Self:
        if (self.password is None) == (self.oauth is None):
            raise ValueError("want exactly one of password, oauth")
        local = self.host in ("localhost", "::1") or self.host.startswith("127.")
        if self.security == "plain" and not local and not self.allow_plaintext_to_remote_host:
            raise ValueError(
                "security plain sends the password readably to another host; use tls or starttls, "
                "or set allow_plaintext_to_remote_host: true"
            )
        taken = {self.after.processed, self.after.review, self.after.quarantine}
        if self.after.mode == "move" and taken & set(self.folders):
            raise ValueError("a folder that is polled cannot be one that messages are moved to")
        return self

    @property
    def effective_port(self) -> int:
        """993 for implicit TLS (RFC 8314), else 143."""
        return self.port or (993 if self.security == "tls" else 143)


class FolderMailbox(Section):
    """Mail on this machine: a Maildir, an mbox file, or a folder of .eml files."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    kind: Literal["maildir", "mbox", "eml"]
    path: Path
    poll_every: Seconds = 60
    batch: int = Field(default=200, ge=1, le=2000)
    after: After = After()


def _mailbox_kind(given: object) -> str | None:
    """Return which of the two forms is meant; a mailbox that names no kind is on an IMAP server."""
    kind = given.get("kind", "imap") if isinstance(given, Mapping) else getattr(given, "kind", None)
    return {"imap": "imap", "maildir": "folder", "mbox": "folder", "eml": "folder"}.get(str(kind))


Mailbox = Annotated[
    Annotated[ImapMailbox, Tag("imap")] | Annotated[FolderMailbox, Tag("folder")],
    Discriminator(_mailbox_kind, custom_error_type="kind", custom_error_message="want kind imap, maildir, mbox or eml"),
]


class Limits(Section):
    """What one message, and one batch, may cost. What exceeds a limit is quarantined with the reason."""

    message_bytes: int = Field(default=10_000_000, ge=10_000)
    header_bytes: int = Field(default=262_144, ge=1_000)
    header_lines: int = Field(default=1_000, ge=50)
    mime_depth: int = Field(default=10, ge=2, le=50)
    mime_parts: int = Field(default=200, ge=3)
    decoded_bytes: int = Field(default=20_000_000, ge=10_000)
    recipients: int = Field(default=500, ge=1)
    seconds: Seconds = 10
    batch_bytes: int = Field(default=50_000_000, ge=100_000)
    workers: int = Field(default=0, ge=0, le=256)


class Rules(Section):
    local: Path | None = None


class Threshold(Section):
    """How often, and how far apart, before an address is suppressed, and for how long."""

    count: int = Field(default=1, ge=1)
    distinct_days: int = Field(default=1, ge=1)
    span_days: float = Field(default=0, ge=0, le=3650)
    within_days: float = Field(default=30, gt=0, le=3650)
    apart_hours: float = Field(default=0, ge=0, le=87_600)
    suppress_days: float | None = Field(default=None, gt=0, le=3650)
    probation_days: float | None = Field(default=None, gt=0, le=3650)


#: Failures that do not say the address is bad: counted together, one a day.
_SOFT: Mapping[str, Any] = MappingProxyType(
    {"count": 5, "distinct_days": 3, "span_days": 7, "within_days": 30, "suppress_days": 90, "probation_days": 90}
)

#: What a failure or complaint costs, by reason; every reason not named here is counted as `soft`.
_REASONS: Mapping[str, Mapping[str, Any] | str] = MappingProxyType(
    {
        Reason.MAILBOX_UNKNOWN: {"count": 1},
        Reason.ADDRESS_CHANGED: {"count": 1},
        Reason.MAILBOX_DISABLED: {"count": 1, "suppress_days": 180},
        Reason.MAILBOX_INACTIVE: {"count": 2, "within_days": 30, "suppress_days": 180},
        Reason.DOMAIN_MISSING: {"count": 2, "apart_hours": 72},
        Reason.ABUSE: {"count": 1},
        Reason.FRAUD: {"count": 1},
        **dict.fromkeys(
            (
                Reason.VIRUS,
                Reason.OTHER,
                Reason.CONTENT_BLOCK,
                Reason.REPUTATION_BLOCK,
                Reason.AUTH_FAILURE,
                Reason.RATE_LIMITED,
                Reason.GREYLISTED,
                Reason.TOO_BIG,
                Reason.RELAY_DENIED,
                Reason.RECIPIENT_RESTRICTED,
                Reason.ROUTING_LOOP,
                Reason.PROTOCOL,
                Reason.ENCRYPTION_REQUIRED,
                Reason.SENDER_INVALID,
                Reason.SENDER_ACCOUNT,
            ),
            "never",
        ),
    }
)


def _over_soft(given: object) -> object:
    """Return the shipped soft threshold with what the operator wrote on top."""
    return {**_SOFT, **given} if isinstance(given, Mapping) else given


def _over_reasons(given: object) -> object:
    """Return the shipped thresholds with what the operator wrote on top, setting by setting."""
    if not isinstance(given, Mapping):
        return given
    merged: dict[str, object] = dict(_REASONS)
    for reason, threshold in given.items():
        if reason not in set(Reason):
            near = difflib.get_close_matches(str(reason), list(Reason), 1)
            raise ValueError(f'there is no reason "{reason}"' + (f', did you mean "{near[0]}"?' if near else ""))
        shipped = _REASONS.get(reason)
        if isinstance(threshold, Mapping) and isinstance(shipped, Mapping):
            threshold = {**shipped, **threshold}
        merged[reason] = threshold
    return merged


def _cost_kind(given: object) -> str:
    return "word" if isinstance(given, str) else "threshold"


Cost = Annotated[
    Annotated[Threshold, Tag("threshold")] | Annotated[Literal["never", "soft"], Tag("word")],
    Discriminator(_cost_kind),
]


class Policy(Section):
    """What the suppression table does: thresholds by reason, and the scope each cause suppresses in.

    A reason without a threshold of its own is counted with the other soft ones. The fault stands above the
    reason: what is the sender's or the message's fault never suppresses, whatever is written here.
    """

    scope: str = "*"
    complaint_scope: str = "*"
    unsubscribe_scope: str = "*"
    allow: tuple[Reporter, ...] = ()
    reasons: Annotated[Mapping[Reason, Cost], BeforeValidator(_over_reasons)] = Field(default_factory=dict)
    soft: Annotated[Threshold, BeforeValidator(_over_soft)] = Field(default_factory=lambda: Threshold(**_SOFT))
    strikes: int = Field(default=3, ge=1, le=20)


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
    campaigns: tuple[SentWith, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        ids = [key.id for key in self.keys]
        if len(ids) != len(set(ids)):
            raise ValueError("keys: each id stands for one key")
        if self.keys and not self.domains:
            raise ValueError("domains: want the domain of the return paths, since keys are set")
        return self


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
    tags: Tagging = Tagging()


class Webhook(Section):
    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    url: str = Field(pattern=r"^https?://[^\s/]+")
    secret: SecretSetting
    previous_secret: SecretSetting | None = None
    types: tuple[str, ...] = ("*",)
    timeout: Seconds = 10
    allow_private_address: bool = False
    ca_file: Path | None = None
    attempts: int = Field(default=12, ge=1, le=100)


class Http(Section):
    enabled: bool = True
    host: str = "127.0.0.1"
    port: int = Field(default=8025, ge=0, le=65535)


class Log(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"


class Config(Section):
    """The whole of config.yaml."""

    database: Database = Database()
    mailboxes: tuple[Mailbox, ...] = ()
    limits: Limits = Limits()
    rules: Rules = Rules()
    policy: Policy = Policy()
    correlation: Correlation = Correlation()
    webhooks: tuple[Webhook, ...] = ()
    http: Http = Http()
    log: Log = Log()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        for what, names in (
            ("mailboxes", [m.name for m in self.mailboxes]),
            ("webhooks", [w.name for w in self.webhooks]),
        ):
            twice = sorted({n for n in names if names.count(n) > 1})
            if twice:
                raise ValueError(f"{what}: the name {', '.join(twice)} is used twice")
        return self


def load(path: Path, environ: Mapping[str, str] | None = None) -> Config:
    """Return the configuration in `path`. Raises ConfigError that lists every problem at once, by path."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError([f"{path}: cannot be read: {exc}"]) from exc
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as exc:
        raise ConfigError([f"{path}: is not YAML: {exc}"]) from exc
    return parse(data or {}, environ)


def parse(data: object, environ: Mapping[str, str] | None = None) -> Config:
    """Return the configuration that `data`, a parsed YAML document, describes. Raises ConfigError."""
    try:
        config = Config.model_validate(data)
    except ValidationError as exc:
        raise ConfigError(_problem(e, data) for e in exc.errors()) from exc
    environ = dict(os.environ if environ is None else environ)
    for _, secret in _secrets(config):
        secret._environ = environ
    return config


def secret_problems(config: Config) -> list[str]:
    """Return one line, beginning with the path of the setting, for each secret that cannot be read now."""
    problems = []
    for path, secret in _secrets(config):
        try:
            secret.read()
        except ConfigError as exc:
            problems.append(f"{path}: {exc}")
    return problems


def _secrets(value: object, path: str = "") -> Iterator[tuple[str, Secret]]:
    """Yield every secret anywhere below `value`, with the path of its setting."""
    if isinstance(value, Secret):
        yield path, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name), f"{path}.{name}".lstrip("."))
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _secrets(item, f"{path}[{number}]")


def _problem(error: Any, data: object) -> str:
    """Return one line for a person: path of the setting, what is wrong, and what to write instead."""
    parts = [p for p in error["loc"] if p not in ("imap", "folder", "threshold", "word")]
    path = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in parts).lstrip(".") or "config"
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(parts[-1]), sorted(_known_keys()), 1)
        return f"{path}: unknown key" + (f', did you mean "{near[0]}"?' if near else "")
    if error["type"] == "missing":
        return f"{path}: is required"
    message = error["msg"].removeprefix("Value error, ")
    shown = error.get("input")
    private = any(isinstance(p, str) and _PRIVATE.search(p) for p in parts)
    return f"{path}: {message}" + (f", got {shown!r}" if isinstance(shown, str | int | float) and not private else "")


def _known_keys() -> set[str]:
    """Return the name of every setting of every section."""
    known: set[str] = set()
    waiting = list(Section.__subclasses__())
    for section in waiting:
        known |= set(section.model_fields)
    return known
