"""Mutants of the money's rules, each tried against its tests: which changes does nobody notice?

`make mutants` (ARGS="--every 7 chatapp/pricing/cost.py") prints the survivors. A mutant is one
module with one operator, number, condition or default changed. What stands in a function is changed
in place, in a process forked from one that has everything ready; the rest is imported anew.
"""

import argparse
import ast
import copy
import gc
import importlib.abc
import importlib.util
import os
import resource
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PRICING = ("examples", "cost", "refusals", "usage", "money", "counters")
LEDGER = ("charges", "rerating", "counter_prices", "checking")


# The module's own tests first: what they notice costs no more.
TESTS = {
    "pricing/cost": ("cost", *PRICING),
    "pricing/segments": ("cost", *PRICING),
    "pricing/refusals": ("refusals", *PRICING),
    "pricing/counters": ("counters", *PRICING),
    "pricing/usage": ("usage", *PRICING),
    "pricing/money": ("money", *PRICING),
    "pricing/book": (*PRICING, "book", "audit"),
    "ledger/rating": ("rating", *LEDGER),
    "ledger/lines": (*LEDGER, "receipts", "spend_report"),
    "ledger/charges": LEDGER,
    "ledger/daily": (*LEDGER, "rollups", "budgets"),
    "ledger/evidence": LEDGER,
    "ledger/unknown": ("unknown_counters", "counter_prices"),
    "ledger/budgets": ("budgets", "marks", "requests"),
    "ledger/queries": ("budgets", "charges", "rerating"),
}
SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
SECONDS = 120  # of processor time: a mutant that has not ended by then has been noticed
FAILED = 255
OPTIONS = ["-x", "-q", "-s", "-p", "no:cacheprovider", "--reuse-db"]


@dataclass(frozen=True)
class Mutant:
    """`code` is the whole module's; `inside` a function is all that differs."""

    line: int
    change: str
    code: CodeType
    inside: bool


def mutants(path: str) -> Iterator[Mutant]:
    tree = ast.parse((ROOT / path).read_text())
    inside = {id(node) for node in _of_functions(tree)}
    for index, node in enumerate(ast.walk(tree)):
        if changed := _changed(node):
            mutant = copy.deepcopy(tree)
            change = changed(list(ast.walk(mutant))[index])
            code = compile(mutant, str(ROOT / path), "exec")
            yield Mutant(getattr(node, "lineno", 0), change, code, id(node) in inside)


def _of_functions(tree: ast.AST) -> Iterator[ast.AST]:
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for statement in function.body:
                yield from ast.walk(statement)


def _changed(node: ast.AST) -> Callable[[Any], str] | None:
    match node:
        case ast.Compare(ops=[op]) if type(op) in SWAPPED:
            return lambda target: _swap(target, "ops", [SWAPPED[type(op)]()], op)
        case ast.BinOp(op=op) | ast.BoolOp(op=op) | ast.AugAssign(op=op) if type(op) in SWAPPED:
            return lambda target: _swap(target, "op", SWAPPED[type(op)](), op)
        case ast.Constant(value=bool() as value):
            return lambda target: _swap(target, "value", not value, value)
        case ast.Constant(value=int() as value):
            return lambda target: _swap(target, "value", value + 1, value)
        case ast.IfExp() | ast.If():
            return lambda target: _swap(
                target, "test", ast.UnaryOp(ast.Not(), target.test), "condition"
            )
    return None


def _swap(node: ast.AST, name: str, value: object, old: object) -> str:
    setattr(node, name, value)
    ast.fix_missing_locations(node)
    old_name = type(old).__name__ if isinstance(old, ast.AST) else repr(old)
    new = value[0] if isinstance(value, list) else value
    return f"{old_name} -> {type(new).__name__ if isinstance(new, ast.AST) else repr(new)}"


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module the mutant's code."""

    def __init__(self, path: str, code: CodeType) -> None:
        self.name = path.removesuffix(".py").replace("/", ".")
        self.code = code

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(name, self) if name == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, module.__dict__)  # noqa: S102


class InPlace:
    """A pytest plugin that runs the tests once, and then once with each mutant in a forked process."""

    def __init__(self, path: str, found: list[Mutant]) -> None:
        self.path, self.found = path, found
        self.survivors: list[Mutant] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        from django.db import connections

        if _run(session):
            pytest.exit("its tests fail without any change", FAILED)
        connections.close_all()  # a forked process must not share one
        for mutant in self.found:
            if not _forked(_run_with, session, mutant):
                self.survivors.append(mutant)
        return True


def _run(session: pytest.Session) -> int:
    """Run tests until one fails; their session is not torn down."""
    for item, following in zip(session.items, [*session.items[1:], session.items[0]], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            break
    return session.testsfailed


def _run_with(session: pytest.Session, mutant: Mutant) -> int:
    _limit()
    codes = {(code.co_qualname, code.co_firstlineno): code for code in _codes(mutant.code)}
    for function in gc.get_objects():
        if type(function) is FunctionType:
            code = function.__code__
            if code.co_filename == mutant.code.co_filename:
                function.__code__ = codes[code.co_qualname, code.co_firstlineno]
    return _run(session)


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _anew(path: str, mutant: Mutant) -> int:
    _limit()
    sys.meta_path.insert(0, Mutated(path, mutant.code))
    return pytest.main([*OPTIONS, *_tests(path)])


def _limit() -> None:
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def _forked(run: Callable[..., int], *given: Any) -> int:
    """What `run` returns in a process of its own, or why that process was killed."""
    sys.stdout.flush()
    if (child := os.fork()) == 0:
        result = 1
        try:
            result = run(*given)
        finally:
            os._exit(result)
    return os.waitpid(child, 0)[1]


def _in_place(path: str, found: list[Mutant]) -> int:
    plugin = InPlace(path, found)
    code = pytest.main([*OPTIONS, *_tests(path)], plugins=[plugin])
    for mutant in plugin.survivors:
        print(f"  {path}:{mutant.line}: {mutant.change}")
    sys.stdout.flush()
    return FAILED if code == FAILED else len(plugin.survivors)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "modules", nargs="*", help="such as chatapp/pricing/cost.py; all by default"
    )
    parser.add_argument("--every", type=int, default=1, help="try each n-th mutant only")
    parser.add_argument(
        "--functions", action="store_true", help="leave out declarations: each takes a new start"
    )
    options = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    # One database for all: its folder is made here, and what it holds by the first who needs it.
    import tests.settings

    assert tests.settings
    for path in options.modules or [f"chatapp/{module}.py" for module in TESTS]:
        found = [m for m in mutants(path) if m.inside or not options.functions][:: options.every]
        status = _forked(_in_place, path, [mutant for mutant in found if mutant.inside])
        left = os.waitstatus_to_exitcode(status)
        if left == FAILED:
            sys.exit(f"{path}: its tests fail without any change")
        for mutant in found:
            if not mutant.inside and not _forked(_anew, path, mutant):
                left += 1
                print(f"  {path}:{mutant.line}: {mutant.change}", flush=True)
        print(f"{path}: {len(found)} mutants, {left} survive", flush=True)


def _tests(path: str) -> list[str]:
    module = path.removeprefix("chatapp/").removesuffix(".py")
    room = module.partition("/")[0]
    return [f"tests/{room}/test_{name}.py" for name in dict.fromkeys(TESTS[module])]


if __name__ == "__main__":
    main()
