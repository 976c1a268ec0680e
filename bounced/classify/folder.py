"""Rules from folders of YAML files, every fault found at once, each under its file and id.

A rule file is a list of rules; files are read in the order of their names. `words.yaml` names groups of words that
patterns use as `%{name}`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from bounced.classify.patterns import pattern_of
from bounced.classify.rule import Rule, RuleError, expand, rule_of
from bounced.classify.wording import fold
from bounced.errors import ConfigError

WORDS = "words.yaml"


def shipped_folder() -> Path:
    """Return where the program's own rules lie: in the wheel `bounced/_rules`, in a checkout `rules` beside it."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_rules"
    return installed if installed.is_dir() else package.parent / "rules"


def read_rules(shipped: Path, local: Path | None) -> tuple[Rule, ...]:
    """Return the rules of both folders as they stand. Raises ConfigError listing every rule that cannot be used."""
    problems: list[str] = []
    words = _words([folder for folder in (shipped, local) if folder], problems)
    rules = _folder(shipped, words, False, problems)
    if local is not None:
        rules += _folder(local, words, True, problems)
    problems += _twice(rules)
    if not rules and not problems:
        problems.append(f"{shipped}: no rules here, reinstall or name the right folder")
    if problems:
        raise ConfigError(problems)
    return tuple(rules)


def _folder(folder: Path, words: Mapping[str, str], local: bool, problems: list[str]) -> list[Rule]:
    if not folder.is_dir():
        problems.append(f"{folder}: no such folder of rules, make it or take it out of the configuration")
        return []
    rules: list[Rule] = []
    for path in sorted(folder.glob("*.yaml")):
        if path.name != WORDS:
            rules += _file(path, words, local, problems)
    return rules


def _file(path: Path, words: Mapping[str, str], local: bool, problems: list[str]) -> list[Rule]:
    data = _yaml(path, problems)
    if not isinstance(data, list):
        if data is not None:
            problems.append(f"{path.name}: want a list of rules, each beginning with `- id:`")
        return []
    rules: list[Rule] = []
    for place, one in enumerate(data, 1):
        try:
            rule = rule_of(one, path.name, words, local)
            for pattern in (rule.when.text, rule.when.also, rule.when.unless, rule.when.names):
                if pattern is not None:
                    pattern_of(pattern)
            rules.append(rule)
        except RuleError as exc:
            problems.append(f"{path.name}: {_name(one, place)}: {exc}")
    return rules


def _words(folders: Sequence[Path], problems: list[str]) -> dict[str, str]:
    words: dict[str, str] = {}
    for folder in folders:
        path = folder / WORDS
        data = _yaml(path, problems) if path.is_file() else None
        if data is not None and not isinstance(data, dict):
            problems.append(f"{path.name}: want names, each with a pattern or a list of such")
            continue
        for name, value in (data or {}).items():
            parts = value if isinstance(value, list) else [value]
            words[str(name)] = fold("|".join(map(str, parts)))
    for name, pattern in words.items():
        try:
            pattern_of(expand(pattern, words))
        except RuleError as exc:
            problems.append(f"{WORDS}: {name}: {exc}")
    return words


def _yaml(path: Path, problems: list[str]) -> object:
    try:
        with path.open(encoding="utf-8") as stream:  # the parser names the file of a stream
            return yaml.load(stream, Loader=_Loader)  # noqa: S506  a safe loader, see below
    except (yaml.YAMLError, OSError, UnicodeError) as exc:
        problems.append(f"{path.name}: cannot be read: {' '.join(str(exc).split())}")
        return None


_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _twice(rules: Sequence[Rule]) -> list[str]:
    counts = Counter(rule.id for rule in rules)
    return [
        f"{rule.file}: {rule.id}: this id is used {counts[rule.id]} times, give this rule another one"
        for rule in rules
        if counts[rule.id] > 1
    ]


def _name(data: object, place: int) -> str:
    identity = data.get("id") if isinstance(data, dict) else None
    return str(identity) if identity else f"rule {place} of the file"
