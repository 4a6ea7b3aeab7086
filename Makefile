# Thin on purpose: every target is one script or one command. `make` alone prints this list.
.DEFAULT_GOAL := help
.PHONY: help run test check unit browser bench fixtures weights generate image

help: ## Print this list
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

run: ## Install what is missing, build, start Vouch on the embedded default (data in ./data)
	@scripts/run.sh

test: ## Install what the tests need and run everything
	@scripts/test.sh

check: ## Before a push: formatting, clippy, architecture
	@scripts/test.sh fmt clippy architecture

unit: ## The inner loop: unit tests only; make unit FILTER=money
	@scripts/cargo-test.sh --lib $(FILTER)

browser: ## The flows people live in, in Chromium; screenshots in target/screenshots
	@scripts/test.sh browser

bench: ## Accuracy and seconds per receipt over labelled directories; make bench DIRS=...
	@scripts/bench.sh $(DIRS)

fixtures: ## Draw the synthetic receipts again
	@cargo run --locked --package vouch-fixtures

weights: ## Install the recognition weights (pinned SHA-256; Tesseract is used without them)
	@scripts/fetch-weights.sh

generate: ## Write the generated files again: configuration example, OpenAPI document
	@scripts/generate.sh

image: ## Build the container image (needs a Docker or Podman engine)
	@scripts/image.sh
