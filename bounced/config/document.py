"""config.yaml as a document: its data, and at which line each setting stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import yaml


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML document. `data` is what it says; `root` knows where."""

    data: object
    root: yaml.Node | None

    @classmethod
    def of(cls, text: str) -> Self:
        """Return what `text` holds; an empty document is None. Raises yaml.YAMLError."""
        loader = yaml.SafeLoader(text)
        try:
            root = loader.get_single_node()
            again = list(_twice(root, "", set()))
            data = None if root is None or again else loader.construct_document(root)
        finally:
            loader.dispose()
        if again:
            raise SaidTwice(again)
        return cls(data, root)

    def line(self, place: Sequence[int | str]) -> int | None:
        """Return the line, from 1, of the setting at this path, or of the innermost section around it."""
        node, line = self.root, None
        for step in place:
            found = _below(node, step)
            if found is not None:
                node, line = found
        return line


class SaidTwice(yaml.YAMLError):
    """Keys that stand twice in one section; YAML would keep the last and drop the rest without a word."""

    def __init__(self, problems: Sequence[tuple[int, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(words for _, words in problems))


def _below(node: yaml.Node | None, step: int | str) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step].start_mark.line + 1
    return None


def _twice(node: yaml.Node | None, path: str, seen: set[int]) -> Iterator[tuple[int, str]]:
    """Yield line and words for each key that stands twice; what anchors repeat is looked at once."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _twice(item, f"{path}[{number}]", seen)
    elif isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            here, line = f"{path}.{key.value}".lstrip("."), key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode):
                if key.value in first:
                    yield line, f"{here}: stands already in line {first[key.value]}; put both into one"
                first.setdefault(key.value, line)
            yield from _twice(value, here, seen)
