"""What a user is told who lacks a harness."""

import importlib
import sys

import pytest

from vljepa.errors import UserError


def test_a_missing_mteb_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    monkeypatch.delitem(sys.modules, "vljepa.harnesses.mteb", raising=False)
    with pytest.raises(UserError, match=r"pip install 'open-vl-jepa\[harness\]'"):
        importlib.import_module("vljepa.harnesses.mteb")
