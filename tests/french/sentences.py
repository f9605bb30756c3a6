"""Every text in the code that a person may be told, as templates with `{name}` where a value stands."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

import yaml

import atoll

SOURCE = Path(atoll.__file__).parent

#: Where nothing is written that the API answers.
SILENT = (
    "cli/",  # the command line speaks English
    "client/",  # likewise, inside a machine too
    "wiring/",  # what the process says as it starts
    "proxy/stream/",  # faults of a screen's protocol close its line; the page of screens has words of its own
    "reviewed/french/",
)
#: Calls whose texts are no answers: help of schemas and commands, logs of the process, programs, SQL, patterns.
NO_ANSWER = re.compile(
    r"(typer\.\w+|Field|Query|Header|Path|Cookie|HTTPBearer|APIKeyCookie|FastAPI|Counter|Histogram|\w+MetricFamily"
    r"|_?log(ger)?\.\w+|logging\.\w+|re\.compile|\w*(connection|cursor|_db|database)\.(execute|executemany)|sa\.text"
    r"|(Value|Type|Runtime|Attribute|Assertion|Key|Index|OS|NotImplemented|EOF|Import)Error|BadRecordError"
    r"|asyncssh\.\w+|\w+\.add_parser|\w+\.add_argument|warnings\.\w+|StreamingResponse|Annotated|__import__)"
)
_WORD = re.compile(r"[A-Za-z]+")
#: SQL, HTTP, configuration, lists of names: what looks like words and is none.
_CODE = re.compile(
    r"^\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|PRAGMA|SET|WITH|ATTACH|BEGIN|COPY|FROM|WHERE|CASE"
    r"|UNION|ORDER|TIMESTAMP)\b|\(SELECT |CAST\(|NULL::|count\(|read_parquet\(|__internal|starts_with\(|NULLS FIRST"
    r"|attachment;|charset=|HTTP/1|'(self|none)'|max-age|no-cache|^\s*[<#@]|camera=|\w:\w+=|\n|\\d|--\w+=|-c \w"
    r"|sandbox allow"
    r"|\w+=\w+,|^([A-Z][\w,-]*:? ){4,}[A-Z]\w*\s*$|^([A-Z]{2}:[A-Z]{3} )+|::|^local\(|^atoll \w+ (file|stream) v1"
)


@dataclass(frozen=True)
class Template:
    """A text as it is said, and where."""

    text: str
    file: str
    line: int


def templates() -> Iterator[Template]:
    """Every text that reads like words, of code but for `SILENT` and `NO_ANSWER`, and of what stands beside it."""
    yield from _of_data()
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if name.startswith(SILENT):
            continue
        tree = ast.parse(path.read_text("utf-8"))
        for text, line in _helps(tree) if name == "settings.py" else _texts(tree):
            yield Template(text, name, line)


def _of_data() -> Iterator[Template]:
    """Words of the products that come with Atoll, and reasons of the presets of drafts."""
    for path in sorted(SOURCE.glob("workspaces/products/*.yaml")):
        product = yaml.safe_load(path.read_text("utf-8"))
        fields = product.get("parameters", {}).get("properties", {}).values()
        for words in (product, *fields):
            for key in ("title", "description"):
                yield Template(words[key], path.relative_to(SOURCE).as_posix(), 0)
    for path in sorted(SOURCE.glob("deid/presets/*.yaml")):
        for rule in yaml.safe_load(path.read_text("utf-8"))["rules"]:
            yield Template(rule["source"], path.relative_to(SOURCE).as_posix(), 0)


def _helps(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The help of settings, which a page shows."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "description":
            for text in _variants(node.value):
                yield text, node.lineno


def _texts(tree: ast.AST) -> Iterator[tuple[str, int]]:
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Call) and NO_ANSWER.fullmatch(_dotted(node.func)):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # a docstring
        if not is_text(node):
            stack.extend(ast.iter_child_nodes(node))
            continue
        for text in _variants(node):
            if reads_like_words(text):
                yield text, node.lineno
        # What stands in a value is a text of its own, unless a variant has it.
        stack.extend(_values(node))


def _dotted(func: ast.expr) -> str:
    if isinstance(func, ast.Attribute):
        return f"{_dotted(func.value)}.{func.attr}"
    return func.id if isinstance(func, ast.Name) else ""


def is_text(node: ast.AST) -> TypeGuard[ast.expr]:
    """Whether it is a text as it stands: a constant, an f-string, or such put together."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return is_text(node.left) or is_text(node.right)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _values(node: ast.expr) -> Iterator[ast.AST]:
    """The expressions whose values stand in a text."""
    if isinstance(node, ast.BinOp | ast.IfExp):
        sides = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.body, node.orelse)
        for side in sides:
            if is_text(side) or isinstance(side, ast.IfExp):
                yield from _values(side)
            else:
                yield side
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                inner = part.value
                yield from _values(inner) if isinstance(inner, ast.IfExp) or is_text(inner) else (inner,)


def reads_like_words(text: str) -> bool:
    """Whether it is a sentence or a phrase, and no name, path, SQL or pattern."""
    literal = re.sub(r"\{\w+\}", "", text).strip()
    if _CODE.search(literal):
        return False
    words = _WORD.findall(literal)
    place = re.fullmatch(r"[a-z]+ \{\w+\}", text)
    return bool(place) or (len(words) >= 2 and " " in literal) or bool(re.fullmatch(r"[A-Z][a-z]+\.", literal))


def _variants(node: ast.expr) -> list[str]:
    """The text as templates; one for each branch of a condition inside it."""
    return [_numbered(text).strip() for text in itertools.islice(_choices(node), 64)]


def _choices(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant):
        # A constant may be a template itself, for `format`; other braces are no words.
        text = str(node.value)
        if "{" not in re.sub(r"\{\w+\}", "", text):
            yield text
    elif isinstance(node, ast.IfExp):
        yield from _choices(node.body)
        yield from _choices(node.orelse)
    elif isinstance(node, ast.BinOp) and is_text(node):
        for left, right in itertools.product(list(_choices(node.left)), list(_choices(node.right))):
            yield left + right
    elif isinstance(node, ast.JoinedStr):
        parts = [
            [str(part.value)] if isinstance(part, ast.Constant) else list(_choices(part.value))
            for part in node.values
            if isinstance(part, ast.Constant | ast.FormattedValue)
        ]
        yield from map("".join, itertools.product(*parts))
    else:
        yield "{" + _name(node) + "}"


def _name(node: ast.expr) -> str:
    names = [
        one.attr if isinstance(one, ast.Attribute) else one.id
        for one in ast.walk(node)
        if isinstance(one, ast.Attribute | ast.Name)
    ]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args:
        return _name(node.func.value) if node.func.attr in {"strip", "lower", "total_seconds"} else node.func.attr
    if isinstance(node, ast.Call) and node.args:
        return _name(node.args[0])
    if isinstance(node, ast.Subscript):
        return _name(node.value)
    return names[0].strip("_").lower() if names else "value"


def _numbered(text: str) -> str:
    """Names that come again get a number, so that each is one place."""
    seen: dict[str, int] = {}

    def once(match: re.Match[str]) -> str:
        name = match.group(1)
        seen[name] = seen.get(name, 0) + 1
        return "{" + (name if seen[name] == 1 else f"{name}_{seen[name]}") + "}"

    return re.sub(r"\{(\w+)\}", once, text)
