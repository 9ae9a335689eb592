# Aliases only; everything works without make.
.PHONY: demo test bench lint ci

demo test bench:
	python3 manage.py $@

lint:
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

ci:
	.ci/run
