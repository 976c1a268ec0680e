# Two commands do it all: `make demo` and `make test`. The rest is for those who change the program.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# How many tests run at a time; most of them wait for a server.
JOBS   ?= 4

.PHONY: help venv demo test screenshots lint servers lock clean

help:            ## show this list
	@grep -hE '^[a-z]+: .*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

venv: $(VENV)/.ready  ## make the virtual environment from requirements.lock

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: venv       ## bounces come in, live, after 90 days of history: embedded IMAP server, page, webhooks
	$(BIN)/bounced demo

servers:         ## install Dovecot, Postfix, PostgreSQL, Chromium and what else the tests start (Debian, root)
	@sh tests/servers/install.sh

test: venv servers  ## run all tests, on real servers where they can be had
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist worksteal

screenshots: venv servers  ## take pictures of each page, light, dark and on a phone, into docs/screenshots
	$(BIN)/python -m tests.pages.screenshots

lint: venv       ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lock:            ## resolve the dependencies anew (needs uv)
	uv pip compile --quiet pyproject.toml --all-extras --group dev --generate-hashes \
	  --no-emit-index-url --no-header --python-version 3.11 --upgrade --output-file requirements.lock

clean:           ## remove what the commands above made
	rm -rf $(VENV) .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
