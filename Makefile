# Everything runs in .venv; no Node, Docker or AWS account is needed.
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1
CDK := npx --yes aws-cdk@2.1148.1
ENV ?= dev
# For the functions' runtime, whatever this machine is; infra/function_code.py takes it from there into their zip.
FOR_LAMBDA := --target .venv/lambda-packages --no-compile --no-deps --require-hashes --only-binary :all: \
	--implementation cp --python-version 3.13 --platform manylinux_2_17_aarch64 --platform manylinux2014_aarch64

.PHONY: help setup demo open local test bench faults interleavings fuzz lint types synth cfn-lint asl secrets checks bootstrap diff deploy verify destroy attack lock clean

help:  ## this list
	@awk -F ':.*## ' '/^##@/ {print "\n" substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Try and test
setup: .venv/installed  ## a virtual environment, .venv, with all that is pinned in requirements.lock

.venv/installed: requirements.lock requirements-lambda.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.lock
	rm -rf .venv/lambda-packages
	$(BIN)/pip install --quiet --disable-pip-version-check $(FOR_LAMBDA) --requirement requirements-lambda.txt
	touch $@

demo: setup  ## recordings in, audience out, on this machine: make demo [MEDIA=file-or-folder] [CONSENT=1]
	$(BIN)/python -m local demo $(if $(MEDIA),--media "$(MEDIA)") $(if $(CONSENT),--consent)

open: setup  ## open the report that make demo left, in a browser
	$(BIN)/python -m local open

local: setup  ## leave the local AWS running, with a console and for the AWS CLI: make local [PORT=4566] [CONSOLE_PORT=4567]
	$(BIN)/python -m local up $(if $(PORT),--port $(PORT)) $(if $(CONSOLE_PORT),--console-port $(CONSOLE_PORT))

test: setup  ## every test, offline
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --durations=10 --durations-min=1

faults: setup  ## every AWS call x every fault it can have, run to its end: about 20 minutes; make faults EVERY=10 for a tenth
	$(BIN)/python -m tests.faults $(if $(EVERY),--every $(EVERY))

interleavings: setup  ## every order of two executions' calls and buttons, two preemptions: make interleavings [SCENARIO=name] [PREEMPTIONS=1] [SEEDS=n]
	$(BIN)/python -m tests.interleavings $(if $(SCENARIO),--scenario "$(SCENARIO)") $(if $(PREEMPTIONS),--preemptions $(PREEMPTIONS)) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(REPEAT),--repeat "$(REPEAT)")

fuzz: setup  ## damaged recordings to the readers of headers, for a minute: make fuzz [MINUTES=10] [SEED=1] [COUNT=1]
	$(BIN)/python -m tests.fuzz $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) $(if $(COUNT),--count $(COUNT))

attack: setup  ## every role against every resource with real calls, and inputs made to break out
	$(BIN)/python -m tests.attack

bench: setup  ## the benchmarks of docs/performance.md, beside what people use today
	$(BIN)/python -m bench

##@ Check (of one environment: ENV=dev, unless you say another)
lint: setup  ## formatting and style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup  ## types, by mypy
	$(BIN)/mypy

synth: setup  ## the CloudFormation template of ENV into cdk.out/, with all rules of CDK and cdk-nag
	CDK_OUTDIR=cdk.out/$(ENV) CDK_CONTEXT_JSON='{"env": "$(ENV)"}' $(BIN)/python app.py

cfn-lint: synth  ## the template of ENV by cfn-lint
	$(BIN)/cfn-lint --template cdk.out/$(ENV)/*.template.json

asl: synth .ci/asl/node_modules/.package-lock.json  ## the state machine of ENV by two validators, which come from the npm registry
	$(BIN)/node .ci/asl/check.js cdk.out/$(ENV)/*.template.json

.ci/asl/node_modules/.package-lock.json: .ci/asl/package-lock.json .venv/installed
	$(BIN)/npm ci --prefix .ci/asl --ignore-scripts --no-audit --no-fund --silent
	touch $@

secrets: setup  ## no credentials in any file that git has or would take
	files=$$(git ls-files --cached --others --exclude-standard) && \
		$(BIN)/detect-secrets-hook --no-verify --baseline .secrets.baseline $$files

checks: lint types cfn-lint secrets  ## lint, types, synth, cfn-lint and secrets

##@ Deploy ENV, with your AWS credentials (the CDK CLI comes from the npm registry; docs/deploy.md)
diff: setup  ## what a deployment of ENV would change
	$(CDK) diff -c env=$(ENV)

bootstrap: setup  ## prepare the AWS account and Region for deployments, once
	$(CDK) bootstrap -c env=$(ENV)

deploy: setup  ## create or update the stack of ENV
	$(BIN)/python -m operations unblock --env $(ENV)
	$(CDK) deploy -c env=$(ENV)

verify: setup  ## check the account and the deployed ENV against docs/aws.md, for some cents: make verify [PREFLIGHT=1]
	$(BIN)/python -m operations verify --env $(ENV) $(if $(PREFLIGHT),--preflight)

destroy: setup  ## delete the stack of ENV; docs/deploy.md says how to empty its buckets first, and what remains
	$(CDK) destroy -c env=$(ENV)

##@ Keep house
lock: setup  ## pin all packages anew, for every Python from 3.11 on
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-annotate \
		--output-file requirements.lock requirements-local.txt

clean:  ## remove what was generated
	rm -rf cdk.out out .pytest_cache .mypy_cache .ruff_cache .hypothesis
