"""`bounced webhooks`: who is told, how that goes, and whether an endpoint takes what we sign."""

from typing import Annotated

import typer

from bounced.cli.ledger import ledger
from bounced.cli.options import ConfigOption, FormatOption, configuration
from bounced.cli.render import Format, show
from bounced.errors import ConfigError

app = typer.Typer(no_args_is_help=True, help="List and test the endpoints.")

_COLUMNS = ("name", "url", "types", "open", "dead")
_TEST_COLUMNS = ("name", "ok", "found")


@app.command("list")
def list_(fmt: FormatOption = Format.TABLE, config: ConfigOption = None) -> None:
    """List the endpoints, and how many deliveries each still has open or was given up."""
    from bounced.model import DeliveryState

    with ledger(config) as (settings, store):
        counts = store.delivery_counts()
        show(
            (
                {
                    "name": hook.name,
                    "url": hook.url,
                    "types": hook.types,
                    **{
                        state.value: counts.get((hook.name, state), 0)
                        for state in (DeliveryState.OPEN, DeliveryState.DEAD)
                    },
                }
                for hook in settings.webhooks
            ),
            fmt,
            _COLUMNS,
        )


@app.command()
def test(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]…", help="Else all.")] = None,
    fmt: FormatOption = Format.TABLE,
    config: ConfigOption = None,
) -> None:
    """Post a signed test notification: exit status 0 if each endpoint took it, else 1."""
    from bounced.daemon.wiring import ping

    settings = configuration(config)
    hooks = [hook for hook in settings.webhooks if not names or hook.name in names]
    unknown = set(names or ()) - {hook.name for hook in hooks}
    if unknown:
        raise ConfigError(f"{name}: there is no webhook of this name" for name in sorted(unknown))
    answers = [(hook.name, ping(hook)) for hook in hooks]
    tried = [{"name": name, "ok": answer.ok, "found": answer.says} for name, answer in answers]
    show(tried, fmt, _TEST_COLUMNS)
    raise typer.Exit(0 if all(row["ok"] for row in tried) else 1)
