"""Each helper imports its own framework and no other, and ``import srpcore`` imports none."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

FRAMEWORKS = {"django", "fastapi", "flask", "rest_framework", "starlette", "werkzeug"}
LOADED = {
    "srpcore": set[str](),
    "srpcore.frameworks": set[str](),
    "srpcore.frameworks.bearer": set[str](),
    "srpcore.frameworks.aws_lambda": set[str](),
    "srpcore.frameworks.starlette": {"starlette"},
    "srpcore.frameworks.fastapi": {"fastapi", "starlette"},
    "srpcore.frameworks.flask": {"flask", "werkzeug"},
    "srpcore.frameworks.rest_framework": {"django", "rest_framework"},
}


@pytest.mark.slow
@pytest.mark.parametrize("module", LOADED)
def test_each_module_loads_its_own_framework(module: str) -> None:
    program = f"import sys; sys.path[:0] = {sys.path!r}; import json, {module}; print(json.dumps([*sys.modules]))"
    output = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, check=True, text=True)
    loaded = json.loads(output.stdout)
    assert {name.split(".")[0] for name in loaded} & FRAMEWORKS == LOADED[module]
    if module == "srpcore":
        assert "srpcore.frameworks" not in loaded
