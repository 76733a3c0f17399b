"""Rules that nobody has to remember: who may import whom, what stays light, what every file has.

All of it is read off the sources with `ast`, save for what only a new process can show.
"""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "structgen"
MODULES = {".".join(p.relative_to(ROOT).with_suffix("").parts): p for p in sorted(PACKAGE.rglob("*.py"))}

# Which parts of structgen each part may import when it runs (imports for the type checker alone are free).
# A part is a module or folder of the package. The grammar's half and the tokenizer's half meet in `engine`.
LAYERS: dict[str, set[str]] = {
    "errors": set(),
    "limits": {"errors"},
    "jit": {"limits"},
    "automata": set(),
    "bitmask": set(),
    "cache": set(),
    "ir": {"automata"},
    "sketch": {"automata", "ir"},
    "weakly": set(),
    "regex": {"automata", "errors", "jit", "limits"},
    "vocab": {"cache", "errors"},
    "frontends": {"automata", "cache", "errors", "ir", "jit", "limits", "regex", "sketch", "weakly"},
    "grammar": {"frontends", "ir", "limits"},
    "rules": {"automata", "engine", "errors", "ir", "jit", "limits", "regex", "sketch", "weakly"},
    "engine": {"cache", "errors", "ir", "jit", "limits", "rules", "sketch", "vocab"},
    "explanation": set(),
    "history": set(),
    "captures": {"engine", "errors", "ir"},
    "matcher": {"captures", "bitmask", "engine", "errors", "explanation", "history"},
    "batch": {"bitmask", "engine", "matcher"},
    "saved": {"automata", "cache", "errors", "frontends", "grammar", "ir", "limits", "vocab"},
    "compiled": {"engine", "errors", "grammar", "limits", "matcher", "saved", "vocab"},
    "warm": {"batch", "bitmask", "cache", "compiled", "engine", "grammar", "regex", "vocab"},  # It runs all.
    "torch": set(),
    "transformers": {"torch"},
    "generate": {"cache", "errors", "transformers"},
    "dump": {"automata", "engine", "errors", "explanation", "ir", "rules"},
    "cli": {
        "",
        "bitmask",
        "compiled",
        "dump",
        "errors",
        "explanation",
        "frontends",
        "generate",
        "grammar",
        "vocab",
        "warm",
    },
    "__main__": {"cli"},
}
# Of the engine, the rules see the two files that say what memory looks like, and the kernels that build.
RULES_SEE = {
    f"structgen.engine.{name}" for name in ("heap", "layout", "sequences", "spelling", "spelling.sketched")
}

# Who may import what was written elsewhere.
OUTSIDE: dict[str, set[str]] = {
    "numpy": {
        "automata",
        "batch",
        "bitmask",
        "cache",
        "dump",
        "engine",
        "explanation",
        "frontends",
        "matcher",
        "regex",
        "rules",
        "saved",
        "sketch",
        "torch",
    }
    | {"transformers", "vocab", "warm"},
    "numba": {"jit"},
    "lark": {"frontends"},
    "idna": {"frontends"},
    "jsonschema": {"frontends"},
    "jsonschema_specifications": {"frontends"},
    "pydantic": {"frontends"},
    "platformdirs": {"cache"},
    "tokenizers": {"vocab"},
    "sentencepiece": {"vocab"},
    "tiktoken": {"vocab"},
    "huggingface_hub": {"generate", "vocab"},
    "rich": {"generate"},
    "torch": {"generate", "torch", "transformers"},
    "transformers": {"generate", "transformers"},
}
# Readers of what the user's own tokenizer is made of: whoever has one has the library.
BROUGHT_BY_THE_USER = {"sentencepiece", "tiktoken"}

DECORATORS = {"jit", "jit_allocating"}
NUMBA_OPTIONS = {
    "structgen.jit",
}  # The file that names numba's options.

# Called from another file all the same: a published function, which will not change.
SETTLED = {"mix"}

MOST_LINES = 500


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def part(module: str) -> str:
    """The part of structgen a module belongs to; "" is the package's own face."""
    return [*module.split("."), ""][1]


def imports(module: str) -> Iterator[str]:
    """Modules that ``module`` imports when it runs, at any depth; relative names resolved."""
    path = MODULES[module]
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    if path.name == "__init__.py":
        package = package[:-1] if package[-1] == "__init__" else package
    todo: list[ast.AST] = [tree(path)]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            todo += node.orelse
            continue
        todo += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{name}.{alias.name}" if f"{name}.{alias.name}" in MODULES else name


def test_resolving_imports() -> None:
    assert "structgen.engine.layout" in set(imports("structgen.rules.lexer"))
    assert "structgen.engine.arena" in set(imports("structgen.matcher"))
    assert "structgen.matcher" not in set(imports("structgen.explanation"))  # For the type checker alone.
    assert "structgen.errors" in set(imports("structgen.cli.__init__"))


def test_every_part_has_a_layer() -> None:
    assert {part(module) for module in MODULES} - {"__init__"} == set(LAYERS)


def test_imports_point_down() -> None:
    wrong = []
    for module in MODULES:
        own = part(module)
        for name in imports(module):
            top = name.split(".")[0]
            if top == "structgen":
                seen = part(name)
                fine = seen == own or seen in LAYERS.get(own, set())
                if own == "rules" and seen == "engine":
                    fine = name in RULES_SEE
            else:
                fine = top in sys.stdlib_module_names or own in OUTSIDE.get(top, set())
            if not fine:
                wrong.append(f"{module} imports {name}")
    assert wrong == []


def test_tables_hold_no_more_than_is_used() -> None:
    inside: dict[str, set[str]] = {own: set() for own in LAYERS}
    outside: dict[str, set[str]] = {top: set() for top in OUTSIDE}
    for module in MODULES:
        for name in imports(module):
            top = name.split(".")[0]
            if top == "structgen" and part(module) in inside:
                inside[part(module)].add(part(name))
            elif top in outside:
                outside[top].add(part(module))
    unused = {own: LAYERS[own] - seen for own, seen in inside.items() if LAYERS[own] - seen}
    assert unused == {}
    assert {top: OUTSIDE[top] - seen for top, seen in outside.items() if OUTSIDE[top] - seen} == {}


def test_every_import_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    declared = {re.split(r"[^\w-]", line)[0].replace("-", "_") for line in listed}
    assert set(OUTSIDE) - declared == BROUGHT_BY_THE_USER


def _kernels_of(path: Path) -> list[ast.FunctionDef]:
    found = []
    for node in tree(path).body:
        if isinstance(node, ast.FunctionDef):
            names = {ast.unparse(d.func if isinstance(d, ast.Call) else d) for d in node.decorator_list}
            if names & DECORATORS:
                found.append(node)
    return found


KERNELS = [path for path in MODULES.values() if _kernels_of(path)]
# The modules of the run-time call graph; each may call those before it.
CALL_GRAPH = [
    *("records", "parameters", "parser", "lexer", "margins", "tops", "shifts", "lexed", "states"),
    *("tables", "walk", "leaving", "splits", "takings", "groups", "masks"),
]
# Folders of kernels that call each other; those that build have smaller call graphs.
CALL_GRAPHS = {
    "kernels": CALL_GRAPH,
    "spelling": ["keys", "members", "words", "sketched", "patterns"],
    "skimming": ["values", "words", "references", "forms", "rules"],
    "tabulating": ["kinds", "states", "tokens", "endings", "rows"],
}


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: str(path.relative_to(ROOT)))
def test_kernels_see_arrays_and_numbers_alone(path: Path) -> None:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    allowed = {"__future__", "collections.abc", "dataclasses", "typing", "numpy", "numpy.typing"}
    allowed |= {"structgen.engine.layout", "structgen.sketch", "structgen.regex.kernels_make", *NUMBA_OPTIONS}
    if path.parent.name in CALL_GRAPHS:
        graph = CALL_GRAPHS[path.parent.name]
        allowed |= {f"{module.rpartition('.')[0]}.{name}" for name in graph[: graph.index(path.stem)]}
    if module in NUMBA_OPTIONS:
        allowed.add("numba")
    assert set(imports(module)) <= allowed


def test_numba_options_stand_where_they_are_looked_for() -> None:
    assert {m for m in MODULES if any(n.split(".")[0] == "numba" for n in imports(m))} == NUMBA_OPTIONS


def test_the_call_graph_is_written_down() -> None:
    folder = PACKAGE / "engine" / "kernels"
    assert {path.stem for path in folder.glob("*.py")} == {"__init__", *CALL_GRAPH}
    said = (ast.get_docstring(tree(folder / "__init__.py")) or "").split("They take")[0]
    listed = re.findall(r"^ +(\w+(?:, \w+)*)  ", said, re.MULTILINE)
    assert ", ".join(listed).split(", ") == CALL_GRAPH


def test_what_is_cached_is_held_against_its_sources() -> None:
    from structgen.engine import kernels, sequences

    def sources(kernel: Any) -> set[str]:
        return {name for name, _, _ in kernel._cache._cache_file._source_stamp}

    constants = {"layout.py", "sketch.py"}
    assert sources(kernels.fill) == {"__init__.py", *constants, *(f"{name}.py" for name in CALL_GRAPH)}
    assert sources(sequences.group_by_signature) == {"sequences.py", *constants}


def test_a_kernel_calls_kernels_of_its_own_file_or_folder() -> None:
    """Cached machine code is held against these sources: what a kernel calls elsewhere could go stale."""
    at_home, abroad = set(), set()
    for path in KERNELS:
        body = tree(path).body
        defined = {node.name for node in body if isinstance(node, ast.FunctionDef)}
        imported = {
            alias.asname or alias.name
            for node in body
            if isinstance(node, ast.ImportFrom) and node.level
            if path.parent.name not in CALL_GRAPHS or node.level > 1
            for alias in node.names
        }
        for kernel in _kernels_of(path):
            for node in ast.walk(kernel):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    call = (kernel.name, node.func.id)
                    at_home |= {call} if node.func.id in defined else set()
                    abroad |= {call} if node.func.id in imported - SETTLED else set()
    assert len(KERNELS) > 3
    assert len(at_home) > 10  # The look-out sees something.
    assert abroad == set()


def test_layout_is_constants() -> None:
    kinds = {type(node) for node in tree(PACKAGE / "engine" / "layout.py").body}
    assert kinds <= {ast.Expr, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.If}


def test_every_module_says_what_it_is() -> None:
    assert [module for module, path in MODULES.items() if not ast.get_docstring(tree(path))] == []


def test_files_stay_readable() -> None:
    paths = [*MODULES.values(), *(ROOT / "tests").rglob("*.py"), ROOT / "dev.py"]
    lines = {p.relative_to(ROOT).as_posix(): p.read_text(encoding="utf-8").count("\n") for p in paths}
    assert {name for name, n in lines.items() if n > MOST_LINES} == set(), lines


def test_only_commands_print() -> None:
    printing = {
        part(module)
        for module, path in MODULES.items()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert printing <= {"cli", "generate"}


def test_no_place_of_one_machine() -> None:
    """No absolute path of whoever wrote it, and no package registry by its address."""
    folders = ["structgen", "tests", "grammars", "examples", "benchmarks", ".ci"]
    files = [
        p
        for folder in folders
        for p in (ROOT / folder).rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    ]
    files += [p for p in ROOT.iterdir() if p.suffix in (".py", ".md", ".toml")]
    assert len(files) > 100
    private = re.compile(
        "|".join(["/" + "work/", "/" + "root/", "/" + "home/[a-z]", "py" + "pi\\.org", "python" + "hosted"])
    )
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in files
        for match in [private.search(path.read_text(encoding="utf-8", errors="replace"))]
        if match
    ]
    assert found == []


def test_all_names_what_is_there() -> None:
    """(That ``__all__`` is sorted is the linter's to say.)"""
    missing = []
    for module in MODULES:
        if part(module) in ("torch", "transformers"):
            pytest.importorskip(part(module))
        if module != "structgen.__main__":
            loaded = importlib.import_module(module.removesuffix(".__init__"))
            names = getattr(loaded, "__all__", [])
            missing += [f"{module}.{name}" for name in names if not hasattr(loaded, name)]
            assert len(names) == len(set(names)), module
    assert missing == []
    import structgen

    assert sorted(structgen.__all__) == structgen.__all__


def _loaded_by(code: str) -> set[str]:
    script = f"{code}\nimport sys; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_structgen_is_light() -> None:
    loaded = _loaded_by("import structgen; dir(structgen); structgen.Limits; structgen.GrammarError")
    assert loaded & set(OUTSIDE) == set()


def test_the_engine_runs_without_a_host() -> None:
    """Grammar, vocabulary, masks: no torch, no transformers, nothing that a front end unused would bring."""
    code = (
        "import structgen as sg\n"
        "v = sg.Vocabulary([b'a', b'b', None], (2,))\n"
        "m = sg.compile(sg.Grammar.from_regex('a+b'), v).matcher()\n"
        "m.fill_next_token_bitmask(sg.allocate_token_bitmask(1, 3)); assert m.accept_token(0)"
    )
    loaded = _loaded_by(code)
    assert {"numpy", "numba"} <= loaded
    assert loaded & set(OUTSIDE) <= {"numpy", "numba", "platformdirs"}
