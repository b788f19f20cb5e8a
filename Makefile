# Every target sets up what it needs: a `.venv` with the first Python ≥ 3.11 found, manta-nb and its tools in it.

# PYTHON=/path/to/python3 make test    takes that one
PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
# JupyterLab of that .venv takes the extension from the checkout: built anew it is there when a page is reloaded
LAB := $(VENV)/share/jupyter/labextensions/manta-nb
# npm writes it at the end of an installation
NODE_STAMP := extension/node_modules/.package-lock.json

.PHONY: help demo test lab lint lint-extension build bench clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    federated digits on 8 nodes, executed for real"
	@echo "make test    all tests; TESTS=tests/engine for some of them; those of the screen need chromium"
	@echo "make lab     JupyterLab on the notebooks; ARGS=--no-browser for its options"
	@echo "make lint    style, types, layers; of extension/, too, where there is Node"
	@echo "make build   extension/ into manta_nb/ui/static and manta_nb/labextension, with Node 20 or newer"
	@echo "make bench   the figures of benchmarks/, against their peers; ARGS=--quick is shorter, FLOWER=1 installs Flower, too"
	@echo "make clean   remove .venv and everything that was made"

demo: $(STAMP)
	@$(BIN)/manta-nb demo --folder manta-demo

TESTS ?= tests
test: $(STAMP)
	@$(BIN)/python -m pytest $(TESTS)

lab: $(STAMP)
	@$(BIN)/manta-nb lab $(ARGS)

lint: $(STAMP)
	@echo "ruff check"; $(BIN)/ruff check --quiet .
	@echo "ruff format"; $(BIN)/ruff format --quiet --check .
	@echo "mypy"; $(BIN)/mypy --no-error-summary
	@echo "lint-imports"; $(BIN)/lint-imports --no-logo
	@$(MAKE) --no-print-directory lint-extension

lint-extension:
	@set -e; \
	if command -v npm >/dev/null 2>&1; then \
	  $(MAKE) --no-print-directory $(NODE_STAMP); \
	  for each in check lint format:check; do echo "extension: $$each"; npm run --silent --prefix extension $$each; done; \
	elif [ -n "$$CI" ]; then \
	  echo "extension: there is no npm to check it with (Node 20 or newer)" >&2; exit 1; \
	else \
	  echo "extension: not checked, as there is no npm (Node 20 or newer)"; \
	fi

build: $(NODE_STAMP)
	@npm run --silent --prefix extension build

bench: $(STAMP)
	@$(BIN)/python -m benchmarks.run $(if $(FLOWER),--flower) $(ARGS)

clean:
	rm -rf $(VENV) build dist manta-demo manta-notebooks .mypy_cache .pytest_cache .ruff_cache .hypothesis \
	  .import_linter_cache *.egg-info extension/node_modules extension/build extension/harness/dist
	find . -name __pycache__ -not -path './*venv*/*' -prune -exec rm -rf {} +

$(NODE_STAMP): extension/package-lock.json
	@cd extension && npm ci --silent --no-audit --no-fund && touch node_modules/.package-lock.json

# A stamp, because pip takes seconds to find out that there is nothing to do. FEDn itself is what tests compare manta-nb's
# with: in a folder of its own, where nothing else can import it.
$(STAMP): pyproject.toml constraints.txt
	@set -e; \
	python=''; \
	for each in $(PYTHON) python3 python3.13 python3.12 python3.11 python3.14 python; do \
	  if "$$each" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    python="$$each"; break; \
	  fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "no Python 3.11 or newer with venv was found: install one (Debian, Ubuntu: apt install python3-venv)," >&2; \
	  echo "or name it: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1; \
	fi; \
	if ! $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	  echo "making $(VENV) with $$("$$python" --version)"; \
	  "$$python" -m venv --clear $(VENV); \
	fi; \
	rm -rf $(LAB); \
	echo "installing manta-nb with its tests and tools; the first time this takes minutes, most of them for torch"; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input \
	  -c constraints.txt -e '.[test,lint]'; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input \
	  --no-deps --upgrade --target $(VENV)/oracle/fedn fedn==0.11.1; \
	rm -rf $(LAB); ln -s $(CURDIR)/manta_nb/labextension $(LAB); \
	touch $@; \
	echo "ready"
