#!/usr/bin/env bash
# Environment, lint, format check and the fast test suite.
#   bash tools/run_tests.sh                      all but slow and gpu tests
#   bash tools/run_tests.sh tests/test_engine    arguments go to pytest
#   bash tools/run_tests.sh -m slow              a later -m replaces the default one
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=$(bash tools/env.sh --with-tests | tail -n 1)
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
# Two workers with one thread each: small models gain nothing from more.
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
"$python" -m ruff check openvocab tools tests
"$python" -m ruff format --check openvocab tools tests
exec "$python" -m pytest -n 2 --dist loadfile -m 'not slow and not gpu' "$@"
