# Two commands: `make test` proves it, `make demo` shows it. They need Python >= 3.11, git and make.

# pyenv shows only the Pythons that are selected: select every supported one.
ifneq ($(shell command -v pyenv 2>/dev/null),)
export PYENV_VERSION ?= $(shell pyenv versions --bare | grep -E '^3\.1[123]\.[0-9]+$$' | sort -rV | paste -sd: -)
endif
# The matrix is the Pythons of this machine; uv must not fetch others.
export UV_PYTHON_DOWNLOADS ?= never
export PIP_DISABLE_PIP_VERSION_CHECK = 1

# make exports to its recipes only, so the shell is handed the choice.
PYTHON ?= $(shell PYENV_VERSION='$(PYENV_VERSION)'; [ -z "$$PYENV_VERSION" ] || export PYENV_VERSION; \
	for python in python3.13 python3.12 python3.11 python3 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
TOX := .venv/bin/python -m tox

.PHONY: test demo lint types docs dist format clean

# All environments, or some: make test ENVS="lint py313-django61"
test: .venv/.tools
	@.venv/bin/python scripts/matrix.py $(ENVS)

demo: .venv-demo/.tools
	@.venv-demo/bin/python example_project/manage.py demo $(ARGS)

lint types docs dist: .venv/.tools
	$(TOX) run -e $@

format: .venv/.tools
	$(TOX) exec -e lint -- ruff format .
	$(TOX) exec -e lint -- ruff check --fix .

.venv/.tools: Makefile
	$(if $(PYTHON),,$(error Python 3.11 or newer is needed, and none was found))
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet 'tox>=4.30' 'tox-uv>=1.28'
	@touch $@

.venv-demo/.tools: Makefile pyproject.toml
	$(if $(PYTHON),,$(error Python 3.11 or newer is needed, and none was found))
	$(PYTHON) -m venv .venv-demo
	.venv-demo/bin/python -m pip install --quiet --editable '.[argon2]' 'django-otp>=1.7'
	@touch $@

clean:
	rm -rf .venv .venv-demo .tox .coverage* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	rm -rf build dist test-reports
