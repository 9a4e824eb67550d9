"""Mutants of the money's rules, each tried against its tests: which changes does nobody notice?

`make mutants` (ARGS="--every 7 chatapp/pricing/cost.py") prints the survivors. A mutant is one
module with one operator, number, condition or default changed, loaded in a process forked from one
that has everything else ready.
"""

import argparse
import ast
import copy
import importlib.abc
import importlib.util
import os
import sys
import time
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PURE = [
    "tests/pricing/test_examples.py",
    "tests/pricing/test_cost.py",
    "tests/pricing/test_refusals.py",
    "tests/pricing/test_usage.py",
    "tests/pricing/test_money.py",
    "tests/pricing/test_counters.py",
]
LEDGER = [
    "tests/ledger/test_charges.py",
    "tests/ledger/test_rerating.py",
    "tests/ledger/test_counter_prices.py",
    "tests/ledger/test_checking.py",
]
TESTS = {
    **{f"chatapp/pricing/{name}.py": PURE for name in ("cost", "segments", "refusals", "counters")},
    **{f"chatapp/pricing/{name}.py": PURE for name in ("usage", "money")},
    "chatapp/pricing/book.py": [*PURE, "tests/pricing/test_book.py"],
    **{f"chatapp/ledger/{name}.py": LEDGER for name in ("rating", "lines", "charges", "daily")},
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
SECONDS = 60  # a mutant that has not ended by then has been noticed


def mutants(source: str) -> Iterator[tuple[int, str, str]]:
    """Line, what was changed, and the changed source."""
    tree = ast.parse(source)
    for index, node in enumerate(ast.walk(tree)):
        if changed := _changed(node):
            mutant = copy.deepcopy(tree)
            target = list(ast.walk(mutant))[index]
            change = changed(target)
            yield getattr(node, "lineno", 0), change, ast.unparse(mutant)


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
    """Gives one module the mutant's source."""

    def __init__(self, path: str, source: str) -> None:
        self.name = path.removesuffix(".py").replace("/", ".")
        self.path = path
        self.source = source

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(name, self) if name == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.source, self.path, "exec"), module.__dict__)  # noqa: S102


def survives(path: str, source: str) -> bool:
    """Whether every test passes with the mutant in place; tried in a forked process."""
    if (child := os.fork()) == 0:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        sys.meta_path.insert(0, Mutated(path, source))
        import pytest

        os._exit(int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *TESTS[path]])))
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.05)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("modules", nargs="*", help="of: " + ", ".join(TESTS))
    parser.add_argument("--every", type=int, default=1, help="try each n-th mutant only")
    options = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    _warm()
    for path in options.modules or TESTS:
        if not survives(path, (ROOT / path).read_text()):
            sys.exit(f"{path}: its tests fail, or take over {SECONDS} s, without any change")
        found = list(mutants((ROOT / path).read_text()))[:: options.every]
        left = [(line, change) for line, change, source in found if survives(path, source)]
        print(f"{path}: {len(found)} mutants, {len(left)} survive", flush=True)
        for line, change in left:
            print(f"  {path}:{line}: {change}", flush=True)


def _warm() -> None:
    """Import what is slow and holds nothing of chatapp's."""
    import aiohttp.web
    import django.db.models
    import django.test
    import pytest

    assert aiohttp.web
    assert django.test
    assert pytest


if __name__ == "__main__":
    main()
