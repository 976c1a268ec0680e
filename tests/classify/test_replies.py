"""The floors that the rules are held to on labelled replies of real servers, where those are at hand."""

import json
from pathlib import Path

import pytest

from bounced.classify import Rules

REPLIES = Path(__file__).parents[3] / "shared" / "replies" / "replies.jsonl"


@pytest.mark.skipif(not REPLIES.exists(), reason="the labelled replies are not beside the project")
def test_labelled_replies_are_told_apart():
    """Category 98 %, reason 93 %, the traps all right in category, no living address called dead."""
    rules = Rules.load()
    labels = [json.loads(line) for line in REPLIES.read_text(encoding="utf-8").splitlines()]
    judged = [(label, rules.classify_reply(label["reply"], label["remote_mta"], None)) for label in labels]
    category = [v.category == label["category"] for label, v in judged]
    reason = [v.reason in (label["reason"], label.get("reason_also")) for label, v in judged]

    assert sum(category) / len(judged) >= 0.98
    assert sum(reason) / len(judged) >= 0.93
    assert all(v.category == label["category"] for label, v in judged if label["set"] == "traps")
    assert not [label["id"] for label, v in judged if v.category == "hard" and label["category"] == "soft"]
