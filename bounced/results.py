"""How a judgement reads, wherever it is told: one object a mail, a recipient, a reply. The same words everywhere."""

from typing import Any

from bounced.model import Finding, Identity, Judged, Trust, Verdict

_WEAKEST_FIRST = (Trust.CLAIMED, Trust.MATCHED, Trust.SIGNED)

Result = dict[str, Any]


def of_mail(judged: Judged) -> Result:
    """Return the object that stands for one mail; its trust is that of its weakest recipient."""
    report, pairs = judged.report, judged.verdicts
    first = pairs[0][1] if pairs else None
    tags = first.tags if first else None
    return {
        "kind": report.kind,
        "subtype": report.subtype,
        "reader": report.reader,
        "recipients": [of_recipient(v, i) for v, i in pairs],
        "feedback_type": report.feedback.feedback_type if report.feedback else None,
        "message_id": first.message_id if first else _original_id(judged),
        "tags": {
            "campaign": tags.campaign if tags else None,
            "list": tags.list if tags else None,
            "categories": list(tags.categories) if tags else [],
        },
        "trust": min((i.trust for _, i in pairs), key=_WEAKEST_FIRST.index, default=Trust.CLAIMED),
    }


def of_recipient(verdict: Verdict, identity: Identity) -> Result:
    """Return the object that stands for one recipient of a mail."""
    finding = verdict.finding
    return {
        "address": _address(finding, identity),
        "final_recipient": identity.final_recipient or finding.final_recipient,
        **of_verdict(verdict),
        "action": finding.action,
        "diagnostic": finding.diagnostic or finding.text,
        "remote_mta": finding.remote_mta,
    }


def of_verdict(verdict: Verdict) -> Result:
    """Return what a failure was taken for, and why: all there is to say of a single reply."""
    return {
        "category": verdict.category,
        "reason": verdict.reason,
        "fault": verdict.fault,
        "status": verdict.status,
        "reply_code": verdict.reply_code,
        "rule": verdict.rule,
        "provider": verdict.provider,
        "matched": verdict.matched,
        "basis": list(verdict.basis),
        "disagreed": list(verdict.disagreed),
    }


def _address(finding: Finding, identity: Identity) -> str | None:
    """Return whom the report names; only a signature knows better whom the mail went to.

    Of an alias with several members each member has a fate of its own, though one address was mailed.
    """
    if identity.trust is Trust.SIGNED:
        return identity.recipient
    return finding.recipient or identity.recipient


def _original_id(judged: Judged) -> str | None:
    return judged.report.original.first("Message-ID") if judged.report.original else None
