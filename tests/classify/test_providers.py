"""Who runs a mailbox."""

import pytest

from bounced.classify import Rules
from bounced.classify.providers import Providers, load_providers
from bounced.errors import ConfigError


@pytest.mark.parametrize(
    ("domain", "mta", "provider"),
    [
        ("gmail.com", None, "google"),
        ("shop.example", "alt1.aspmx.l.google.com", "google"),
        ("shop.example", "shop-example.mail.protection.outlook.com", "m365"),
        ("hotmail.com", "hotmail-com.olc.protection.outlook.com", "microsoft"),
        ("notgmail.com", None, None),
        ("", "mx.shop.example", None),
        (None, None, None),
    ],
)
def test_a_mailbox_has_a_provider_by_its_domain_or_by_the_host(domain, mta, provider):
    """Whole labels only; the longest suffix wins."""
    assert Rules.load().provider_of(domain, mta) == provider


def test_the_longest_suffix_wins():
    """A part of a provider's hosts may be another's."""
    providers = Providers(hosts={"outlook.example": "one", "olc.outlook.example": "two"})

    assert (providers.of_host("a.olc.outlook.example"), providers.of_host("b.outlook.example")) == ("two", "one")


def test_a_broken_table_is_refused_by_file_and_line(tmp_path):
    """Every bad line at once."""
    table = tmp_path / "providers.csv"
    table.write_text("provider,kind,suffix\nx,domain,x.example\ny,host,y.example\n,mx,z.example\n")

    with pytest.raises(ConfigError) as caught:
        load_providers([table])

    assert [problem.split(" ")[0] for problem in caught.value.problems] == ["providers.csv:3:", "providers.csv:4:"]
