"""Return paths over HTTP: the same as from the command line, for whoever holds a token that may write."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from bounced.return_paths import ReturnPaths
from bounced.serve.throttle import Throttle
from tests.serve.conftest import Service
from tests.test_sent import ANN, SIGNING


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    url = f"sqlite:///{tmp_path_factory.mktemp('verp')}/b.db"
    with closing(Service(url, Throttle(), correlation={"signing": SIGNING})) as service:
        yield service


def test_a_stamp_is_minted(signing: Service) -> None:
    """It reads back as whoever asked said."""
    asked = {
        "recipient": "Ann@Customer.Example",
        "campaign": "autumn",
        "categories": ["promo"],
        "message_id": "<1@a.b>",
    }

    said = signing.call("POST", "/v1/verp/sign", asked, token="write")

    paths = ReturnPaths(signing.config.correlation.signing)
    assert said.status == 200
    found = paths.decode(said.json["return_path"]).ours
    assert found is not None and found.good and found.speaks_for(ANN)
    sealed = paths.decode(said.json["headers"]["X-Bounced-Ref"]).ours
    assert sealed is not None and sealed.content is not None and sealed.content.tags is not None
    assert (sealed.content.tags.campaign, sealed.content.tags.categories) == ("autumn", ("promo",))
    assert said.json["envid"] in said.json["return_path"]


def test_another_purpose_has_an_address_alone(signing: Service) -> None:
    said = signing.call("POST", "/v1/verp/sign", {"recipient": ANN, "purpose": "unsub"}, token="write")

    assert (said.json["envid"], said.json["headers"]) == (None, {})
    assert ReturnPaths(signing.config.correlation.signing).decode(said.json["return_path"]).purpose == "unsub"


@pytest.mark.parametrize("asked", [{"recipient": "nobody"}, {}, {"recipient": ANN, "campain": "typo"}])
def test_what_is_wrong_is_said(signing: Service, asked: dict[str, object]) -> None:
    assert signing.call("POST", "/v1/verp/sign", asked, token="write").status == 422


def test_without_a_key_nothing_is_signed(shared: Service) -> None:
    said = shared.call("POST", "/v1/verp/sign", {"recipient": ANN}, token="write")

    assert said.status == 409
    assert "correlation.signing.keys" in said.json["detail"]
