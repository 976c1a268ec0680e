"""Standard Webhooks signatures: secrets that are what they should be, and the three headers of an attempt."""

import base64
from collections.abc import Sequence
from datetime import datetime

from standardwebhooks import Webhook

_PREFIX = "whsec_"


def fault_of(secret: str) -> str | None:
    """Return in plain words what is wrong with a secret; None for `whsec_` and base64 of 24 to 64 octets."""
    if not secret.startswith(_PREFIX):
        return f"want {_PREFIX} followed by base64, as Standard Webhooks has it"
    try:
        text = secret.removeprefix(_PREFIX).rstrip("=")
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return f"what follows {_PREFIX} is not base64"
    if not 24 <= len(key) <= 64:
        return f"want a key of 24 to 64 octets, got {len(key)}: make one with `openssl rand -base64 32`"
    return None


def headers(secrets: Sequence[str], webhook_id: str, at: datetime, body: str) -> dict[str, str]:
    """Return the headers of one attempt. With more than one secret there is a signature for each, as rotation needs."""
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(webhook_id, at, body) for secret in secrets),
    }
