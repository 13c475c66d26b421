"""What docs/harnesses.md names exists; the harnesses themselves need not be installed."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/harnesses.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def defined(harness: str) -> dict[str, ast.stmt]:
    """Functions, classes and constants of an adapter, by name."""
    tree = ast.parse((ROOT / f"src/vljepa/harnesses/{harness}.py").read_text())
    found: dict[str, ast.stmt] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign):
            found |= {target.id: node for target in node.targets if isinstance(target, ast.Name)}
    return found


@pytest.mark.parametrize(("harness", "name"), re.findall(r"from vljepa\.harnesses\.(\w+) import (\w+)", PAGE))
def test_import_exists(harness: str, name: str) -> None:
    assert name in defined(harness)


def test_command_names_the_entry_point_and_its_arguments() -> None:
    ((model, argument),) = re.findall(r"--model (\w+) --model_args (\w+)=", PAGE)
    module, constant = PROJECT["entry-points"]["lmms_eval.models"][model].split(":")
    assert module == "vljepa.harnesses.lmms_eval"
    names = defined("lmms_eval")
    assert constant in names and f"'{model}'" in ast.unparse(names[constant])
    assert f"{argument}: str" in ast.unparse(names["Answerer"])


def test_extras_exist() -> None:
    assert set(re.findall(r"open-vl-jepa\[(\w+)\]", PAGE)) <= set(PROJECT["optional-dependencies"])
