"""The canary at work: when it is due it is sent by the operator's mail server, and its absence raises the alarm."""

import smtplib
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import structlog

from bounced.canary import Cage, Rhythm, claim, due, watch
from bounced.config import Canary as Settings
from bounced.config import Config, Submission
from bounced.correlate import Mail
from bounced.errors import ConfigError, ReceiverDown
from bounced.model import Canary
from bounced.notify.canary import of_canary
from bounced.return_paths import ReturnPaths
from bounced.store import Store

log = structlog.get_logger("bounced.canary")

#: Seconds between two looks whether a canary is missed.
_LOOK_EVERY = 60.0
#: Steps of one dialogue with a mail server, each of which may take as long as the time-out says.
_STEPS = 12
#: Nothing is folded: a token is one long word, which would be encoded otherwise.
_POLICY = SMTP.clone(max_line_length=998)
_TEXT = """\
This mail is sent to an address that is known to be dead, so that its bounce shows that reports on mails that cannot
be delivered still come back. There is nothing to be done about it.
"""


class CanarySender:
    """Sends the canary of one configuration. Raises ConfigError where it cannot sign."""

    def __init__(self, settings: Settings, config: Config, store: Store) -> None:
        self._settings, self._store = settings, store
        self._paths = ReturnPaths(config.correlation.signing)
        self._cage = Cage(settings.recipient, of_canary)
        self._rhythm = Rhythm(timedelta(hours=settings.every_hours), timedelta(hours=settings.wait_hours))
        self.allowance = _LOOK_EVERY + _STEPS * settings.smtp.timeout

    def step(self) -> float:
        """Send a canary if one is due, raise the alarm if one is missed; return in how many seconds to come again.

        A mail server that does not take it is told in the log and tried again. Raises StoreDown.
        """
        with suppress(ReceiverDown):
            self.send(self._rhythm)
        now = datetime.now(UTC)
        raised = watch(self._store.begin, self._cage, now)
        if raised:
            log.warning("alarm raised", why=raised.why)
        canaries = self._store.recent_canaries()
        waits = [due(canaries, self._rhythm, now), *(each.due_at - now for each in canaries if each.due_at > now)]
        return min(_LOOK_EVERY, self._rhythm.wait.total_seconds(), max(1.0, min(waits).total_seconds()))

    def send(self, rhythm: Rhythm | None = None) -> Canary | None:
        """Send a canary and return it; None if a rhythm is given by which none is due.

        Raises ReceiverDown if the mail server did not take it; that is written down.
        """
        now = datetime.now(UTC)
        if rhythm and due(self._store.recent_canaries(1), rhythm, now) > timedelta(0):
            return None
        mail, return_path, token = self._made(now)
        new = Canary(token, self._settings.recipient, now, now + self._rhythm.wait)
        if not claim(self._store.begin, new, rhythm):
            return None
        try:
            submit(self._settings.smtp, mail, return_path, self._settings.recipient)
        except (ReceiverDown, ConfigError) as exc:
            self._store.handed_over(token, str(exc))
            log.warning("the canary could not be sent", why=str(exc))
            raise ReceiverDown(f"canary.smtp: {exc}") from exc
        self._store.handed_over(token, None)
        log.info("canary sent", host=self._settings.smtp.host)
        return new

    def _made(self, now: datetime) -> tuple[EmailMessage, str, str]:
        """Return the mail, its return path, and what tells its token from others."""
        stamp = self._paths.stamp(Mail(self._settings.recipient))
        mail = EmailMessage(policy=_POLICY)
        mail["From"] = self._settings.sender
        mail["To"] = self._settings.recipient
        mail["Subject"] = "Canary: this mail is meant to bounce"
        mail["Date"] = format_datetime(now)
        for name in ("Message-ID", "X-Bounced-Ref"):
            mail[name] = stamp.headers[name]
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(_TEXT)
        ours = self._paths.decode(stamp.return_path).ours
        token = ours.mail if ours else None
        if token is None:
            raise ConfigError(["correlation.signing: the return path of the canary cannot be read back"])
        return mail, stamp.return_path, token


def submit(settings: Submission, mail: EmailMessage, return_path: str, recipient: str) -> None:
    """Hand a mail to the mail server. Raises ReceiverDown where it cannot be reached, or does not take it."""
    try:
        with _opened(settings) as server:
            server.send_message(mail, return_path, [recipient])
    except (OSError, smtplib.SMTPException) as exc:
        raise ReceiverDown(_words(settings, exc)) from exc
    except UnicodeError:  # whose words would quote the password
        raise ReceiverDown(_not_ascii(settings)) from None


def probe(settings: Submission) -> str:
    """Log in to the mail server, send nothing, and return what can be said. Raises ReceiverDown."""
    try:
        with _opened(settings) as server:
            server.noop()
    except (OSError, smtplib.SMTPException) as exc:
        raise ReceiverDown(_words(settings, exc)) from exc
    except UnicodeError:  # whose words would quote the password
        raise ReceiverDown(_not_ascii(settings)) from None
    login = "takes the login" if settings.user else "answers"
    return f"{settings.host}:{settings.effective_port} {login} ({settings.security})"


def _opened(settings: Submission) -> smtplib.SMTP:
    """Return a connection over which mail can be sent. Certificates are verified, the name of the host among it."""
    port, timeout = settings.effective_port, settings.timeout
    if settings.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(settings.host, port, timeout=timeout, context=_verifying(settings))
    else:
        server = smtplib.SMTP(settings.host, port, timeout=timeout)
    try:
        if settings.security == "starttls":
            server.starttls(context=_verifying(settings))
        if settings.user is not None and settings.password is not None:
            server.login(settings.user, settings.password.read())
    except BaseException:
        server.close()
        raise
    return server


def _verifying(settings: Submission) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except OSError as exc:
        raise ConfigError([f"canary.smtp.ca_file: cannot be read: {exc}"]) from exc


def _words(settings: Submission, exc: Exception) -> str:
    """Return what went wrong, in words: never the password, which smtplib keeps to itself."""
    where = f"{settings.host}:{settings.effective_port}"
    if isinstance(exc, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(exc.recipients.values()))
        return f"{where} refused the address itself, so that no bounce is written: {_reply(code, said)}"
    if isinstance(exc, smtplib.SMTPResponseException):
        return f"{where} refused: {_reply(exc.smtp_code, exc.smtp_error)}"
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"{where}: its certificate is not trusted: {exc.verify_message}"
    return f"{where}: {exc}"


def _not_ascii(settings: Submission) -> str:
    where = f"{settings.host}:{settings.effective_port}"
    return f"{where}: user and password may have no letters beyond ASCII; neither may an address, if the server says so"


def _reply(code: int, said: bytes | str) -> str:
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {' '.join(words.split())}"[:300]
