"""Mailboxes: where they are, how to log in, and what is done with a message afterwards."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from bounced.config.base import Port, Seconds, SecretSetting, Section


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
    backscatter: str = "Backscatter"
    flag: str = "$BouncedSeen"

    def folders(self) -> dict[str, str]:
        """Return the folders that messages are moved to, by what is moved there."""
        return {name: getattr(self, name) for name in ("processed", "review", "quarantine", "backscatter")}


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
    batch: int = Field(default=500, ge=1, le=2000)
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
        taken = set(self.after.folders().values())
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
    batch: int = Field(default=500, ge=1, le=2000)
    after: After = After()


def _mailbox_kind(given: object) -> str | None:
    """Return which of the two forms is meant; a mailbox that names no kind is on an IMAP server."""
    kind = given.get("kind", "imap") if isinstance(given, Mapping) else getattr(given, "kind", None)
    return {"imap": "imap", "maildir": "folder", "mbox": "folder", "eml": "folder"}.get(str(kind))


Mailbox = Annotated[
    Annotated[ImapMailbox, Tag("imap")] | Annotated[FolderMailbox, Tag("folder")],
    Discriminator(_mailbox_kind, custom_error_type="kind", custom_error_message="want kind imap, maildir, mbox or eml"),
]
