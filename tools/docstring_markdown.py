"""An extension of griffe, which reads the code for `make docs`.

It shows the methods of ``Cognito`` and ``AsyncCognito`` as callers see them, although the code defines them by
``sync_method`` and ``async_method``. It turns the Sphinx markup of docstrings into Markdown, and splits an entry that
describes several parameters or exceptions ("a, b: ...") into one for each, because mkdocstrings looks up the type and
the default of a parameter by the name of its entry.

The docstrings have Google's sections and three kinds of Sphinx markup that Markdown does not know::

    :class:`~srpcore.tokens.Jws`     a role            becomes a link, if the reference documents the object
    as follows::                     a literal block   becomes a fenced block
    .. code-block:: python           a code block      becomes a fenced block
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeGuard

from griffe import (
    AliasResolutionError,
    Attribute,
    Class,
    Expr,
    ExprCall,
    ExprSubscript,
    Extension,
    Function,
    GriffeLoader,
    Module,
    NameResolutionError,
    Object,
    ParameterKind,
)

__all__ = ["DocstringMarkdown", "to_markdown"]

ROLE = re.compile(r":(?:attr|class|data|exc|func|meth|mod):`(?P<tilde>~?)(?P<target>[^`]+)`")
SECTION = re.compile(r"^(?P<margin> *)(?:Args|Raises):$")
SHARED_ENTRY = re.compile(r"^(?P<margin> +)(?P<names>\w+(?:, \w+)+): ")
CODE_BLOCK = re.compile(r"^\.\. code-block:: (?P<language>\w+)$")


class DocstringMarkdown(Extension):
    """Rewrite the docstrings of a package, and describe the methods of clients as callers see them."""

    def on_package(self, *, pkg: Module, loader: GriffeLoader, **_: object) -> None:
        """Rewrite *pkg*, once all of it is loaded."""
        if "client" in pkg.members:
            _forget_stub(pkg["client"])
        objects = list(_objects(pkg))
        for obj in objects:
            if obj.docstring:
                obj.docstring.value = to_markdown(obj.docstring.value, obj)
        for obj in objects:
            if isinstance(obj, Function):
                _show_result(obj)
                _show_variadic_as_optional(obj)
        # The async versions copy what was rewritten above.
        for obj in objects:
            if isinstance(obj, Class):
                _add_async_methods(obj, loader)


def _forget_stub(client: Module) -> None:
    """Remove the methods that griffe has read from the stub of *client*: the code itself is described."""
    for cls in (client["Cognito"], client["AsyncCognito"]):
        for name in list(cls.members):
            cls.del_member(name)


def _objects(obj: Object) -> Iterator[Object]:
    """Yield *obj* and all objects in it, without those that it imports."""
    yield obj
    for member in obj.members.values():
        if isinstance(member, Object):
            yield from _objects(member)


def _show_result(function: Function) -> None:
    """Show ``T`` instead of ``Flow[T]`` as the type that a function decorated with ``sync_method`` returns."""
    decorated = any(str(decorator.value) == "sync_method" for decorator in function.decorators)
    if decorated and isinstance(function.returns, ExprSubscript):
        function.returns = function.returns.slice


def _show_variadic_as_optional(function: Function) -> None:
    """Let the table of parameters call ``*args`` and ``**kwargs`` optional. Their defaults in griffe are () and {}."""
    for parameter in function.parameters:
        if parameter.kind in (ParameterKind.var_positional, ParameterKind.var_keyword):
            parameter.default = "optional"


def _add_async_methods(cls: Class, loader: GriffeLoader) -> None:
    """Turn each ``name = async_method(Class.name)`` into the method that it makes.

    A coroutine method that is decorated with ``written_twice(Class.name)`` gets the docstring of that method.
    """
    for name, member in list(cls.members.items()):
        if isinstance(member, Attribute) and _is_call(member.value, "async_method"):
            original = _argument(member.value, cls, loader)
            returns = _async_result(member.value) or original.returns
            method = Function(name, parameters=original.parameters, returns=returns, lineno=member.lineno)
            method.labels = {*original.labels, "async"}
            method.docstring = original.docstring
            cls.set_member(name, method)
        elif isinstance(member, Function):
            for decorator in member.decorators:
                if _is_call(decorator.value, "written_twice"):
                    member.docstring = _argument(decorator.value, cls, loader).docstring


def _is_call(value: object, function: str) -> TypeGuard[ExprCall]:
    return isinstance(value, ExprCall) and str(value.function) == function


def _async_result(call: ExprCall) -> Expr | None:
    """Return the type that ``async_method(method, type)`` names, or None for ``async_method(method)``."""
    result = call.arguments[1] if len(call.arguments) > 1 else None
    return result if isinstance(result, Expr) else None


def _argument(call: ExprCall, cls: Class, loader: GriffeLoader) -> Function:
    """Return the method that the first argument of *call*, in the body of *cls*, names."""
    class_name, _, method_name = str(call.arguments[0]).rpartition(".")
    method = loader.modules_collection[cls.resolve(class_name)][method_name]
    if not isinstance(method, Function):
        raise TypeError(f"{cls.path}: {call} does not name a method")
    return method


def to_markdown(docstring: str, scope: Object | None = None) -> str:
    """Return *docstring* with Markdown instead of Sphinx's markup; names are looked up in *scope*."""
    lines: list[str] = []
    for line in _split_entries(list(_fenced(docstring.splitlines()))):
        lines.append(ROLE.sub(lambda match: _link(match, scope), line))
    return "\n".join(lines)


def _link(match: re.Match[str], scope: Object | None) -> str:
    target = match["target"].lstrip(".")
    text = target.rpartition(".")[2] if match["tilde"] else target
    # "optional": a name that the reference does not document stays code, without a link.
    return f'<autoref optional identifier="{_path(target, scope)}"><code>{text}</code></autoref>'


def _path(name: str, scope: Object | None) -> str:
    """Return the full path of *name* as the code in *scope* sees it, or *name* itself if it is not known there."""
    if scope is None:
        return name
    try:
        return scope.resolve(name)
    except (NameResolutionError, AliasResolutionError, KeyError):
        return name


def _fenced(lines: list[str]) -> Iterator[str]:
    """Yield *lines* with each literal block and code block between fences."""
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        code_block = CODE_BLOCK.match(line.strip())
        if not code_block and not line.endswith("::"):
            yield line
            continue
        block, position = _indented(lines, position, _indent(line))
        if not block:
            yield line
            continue
        margin = " " * _indent(line)
        if not code_block and line.strip() != "::":
            yield line[:-1]
        yield ""
        yield f"{margin}```{code_block['language'] if code_block else _language(block)}"
        inner = min(_indent(text) for text in block if text.strip())
        yield from (margin + text[inner:] if text.strip() else "" for text in block)
        yield f"{margin}```"
        yield ""


def _split_entries(lines: list[str]) -> Iterator[str]:
    """Yield *lines* with one entry for each name in the sections ``Args:`` and ``Raises:``."""
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        yield line
        section = SECTION.match(line)
        if section:
            block, position = _indented(lines, position, len(section["margin"]))
            yield from _one_name_each(block)
            yield ""


def _one_name_each(section: list[str]) -> Iterator[str]:
    position = 0
    while position < len(section):
        line = section[position]
        position += 1
        entry = SHARED_ENTRY.match(line)
        if not entry:
            yield line
            continue
        rest, position = _indented(section, position, len(entry["margin"]))
        for name in entry["names"].split(", "):
            yield f"{entry['margin']}{name}: {line[entry.end() :]}"
            yield from rest


def _indented(lines: list[str], position: int, indent: int) -> tuple[list[str], int]:
    """Return the block from *position* on that is indented by more than *indent*, and the position after it."""
    end = position
    while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) > indent):
        end += 1
    block = lines[position:end]
    while block and not block[0].strip():
        del block[0]
    while block and not block[-1].strip():
        del block[-1]
    return block, end


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _language(block: list[str]) -> str:
    """Return "python" for a block that is Python, else "text": diagrams and shell sessions."""
    try:
        compile("async def block():\n" + "\n".join(f"    {line}" for line in block), "block", "exec")
    except SyntaxError:
        return "text"
    return "python"
