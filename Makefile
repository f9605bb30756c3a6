# Everything that people and CI run. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin

# Debian packages are asked for only when what they bring is missing.
APT := tools/apt-install

.PHONY: help demo test check bench generate lock clean venv web web-tools browser screenshots postgres directory machines sftp-client

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: venv machines web ## Run the main job on real files, then stay up; ONCE=1 exits instead
	$(BIN)/python examples/demo.py $(if $(ONCE),--once)

# More than processors, since tests wait for processes they start; tests/frame/together.py says what stays together.
TEST_PROCESSES ?= 3

test: venv web browser postgres directory machines sftp-client ## Run every test
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --durations=15
	npm --prefix web test

check: venv web-tools ## Lint, types, import contracts, generated files up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --config-file pyproject.toml tools examples
	$(BIN)/lint-imports
	$(BIN)/python tools/generate.py --check
	npm --prefix web run check

bench: venv machines web browser ## Run the benchmarks, one after the other
	for script in benchmarks/[a-z]*.py; do $(BIN)/python "$$script"; done

generate: venv web-tools ## Write openapi.json, docs/reference and the TypeScript schema from the code
	$(BIN)/python tools/generate.py

lock: venv ## Resolve the lock files anew
	$(BIN)/uv pip compile $(LOCK_OPTIONS) --group build -o requirements.lock pyproject.toml
	$(BIN)/uv pip compile $(LOCK_OPTIONS) -o $(ENVIRONMENTS)/jupyter.lock $(ENVIRONMENTS)/jupyter.in
	$(BIN)/uv pip compile $(LOCK_OPTIONS) --group build --group dev -c requirements.lock -o requirements-dev.lock pyproject.toml
	npm --prefix web install --package-lock-only --omit-lockfile-registry-resolved

# No header, index or find-links line: a lock names packages and hashes, no host and no path.
LOCK_OPTIONS := --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-annotate --no-emit-index-url --no-emit-find-links

WEB_BUILT := src/atoll/api/static/index.html
WEB_SOURCES := web/index.html web/vite.config.ts $(shell find web/src web/public web/build web/stream -type f)

# Declarations of what runs inside machines.
ENVIRONMENTS := src/atoll/providers/sandbox/environments

clean: ## Remove what the other targets made
	rm -rf .venv web/node_modules src/atoll/api/static src/atoll/proxy/page .screenshots .atoll-demo* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# -- what the targets stand on ------------------------------------------------------

venv: .venv/.installed ## Set up Python and Atoll in .venv, nothing else

.venv/.installed: .venv/.locked pyproject.toml
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

.venv/.locked: requirements-dev.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Atoll needs Python 3.11 or newer; say which with make PYTHON=..." >&2; exit 1; }
	$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || $(APT) python3-venv
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r $<
	touch $@

web: $(WEB_BUILT) ## Build the web application into what the API serves

# As new as the sources: built again only when one of them is newer.
$(WEB_BUILT): web/node_modules/.installed $(WEB_SOURCES)
	npm --prefix web run build

web-tools: web/node_modules/.installed

web/node_modules/.installed: web/package-lock.json web/package.json
	command -v npm >/dev/null || { echo "Atoll's web part needs node 20 or newer with npm." >&2; exit 1; }
	npm --prefix web ci --no-audit --no-fund
	touch $@

# What the tests of pages open them with.
browser:
	command -v chromium >/dev/null || $(APT) chromium

screenshots: venv web browser machines ## Shoot each page, light and dark, English and French, into .screenshots
	$(BIN)/python tools/screenshots.py

# A real server that the tests start by themselves, of any version.
postgres:
	command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || $(APT) postgresql

# A real directory for the tests of sign-on.
directory:
	test -x /usr/sbin/slapd || command -v slapd >/dev/null || $(APT) slapd
	command -v ldapmodify >/dev/null || $(APT) ldap-utils

# What the tests of the SFTP server talk to it with.
sftp-client:
	command -v sftp >/dev/null || $(APT) openssh-client

# What machines and their gateway stand on.
machines:
	command -v git >/dev/null || $(APT) git
	command -v bwrap >/dev/null || $(APT) bubblewrap
	command -v Xvnc >/dev/null && command -v xfce4-session >/dev/null && command -v gnumeric >/dev/null && \
	  command -v xclip >/dev/null || $(APT) $(SCREENS)
	command -v qemu-system-x86_64 >/dev/null || $(APT) qemu-system-x86
	command -v qemu-img >/dev/null || $(APT) qemu-utils
	command -v mmdebstrap >/dev/null || $(APT) mmdebstrap
	command -v mksquashfs >/dev/null || $(APT) squashfs-tools
	command -v zstd >/dev/null || $(APT) zstd
	ldconfig -p | grep libseccomp.so.2 >/dev/null || $(APT) libseccomp2
	Rscript -e 'stopifnot(c($(R_PACKAGES)) %in% rownames(installed.packages()))' 2>/dev/null || \
	  $(APT) r-base-core r-cran-irkernel r-cran-dplyr r-cran-tidyr r-cran-readr r-cran-purrr r-cran-tibble \
	  r-cran-stringr r-cran-lubridate r-cran-ggplot2

# What streamed desktops show; without a browser, since there is nowhere to go.
SCREENS := tigervnc-standalone-server dbus-daemon dbus-x11 openbox xfce4-session xfwm4 xfce4-panel xfdesktop4 thunar \
  xfce4-terminal xfce4-settings xfconf mousepad ristretto gnumeric xclip fonts-dejavu-core adwaita-icon-theme \
  python3-gi gir1.2-webkit2-4.1

R_PACKAGES := "IRkernel","dplyr","tidyr","readr","purrr","tibble","stringr","lubridate","ggplot2"
