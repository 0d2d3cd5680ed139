# Everything runs in .venv, which each target sets up as far as it needs it; no Node, Docker or AWS account is needed.
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1
CDK := npx --yes aws-cdk@2.1148.1
ENV ?= dev
# The environment `local` is deployed on the AWS that make local has started, and can't reach an account.
ON_AWS = $(if $(filter local,$(ENV)),$(BIN)/python -m local.exec$(if $(PORT), --port $(PORT)) -- )
# What the application and the local AWS need to run, and what only the checks and the tests need besides.
LOCAL := .venv/installed
CHECKS := .venv/installed-checks

.PHONY: help setup demo open local test bench faults interleavings storm fuzz lint types synth cfn-lint asl secrets checks bootstrap diff deploy verify destroy attack lock clean

help:  ## this list
	@awk -F ':.*## ' '/^##@/ {print "\n" substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Try and test
setup: $(CHECKS)  ## a virtual environment, .venv, with all that any target needs; each sets up what it needs by itself

$(LOCAL): requirements.lock requirements-lambda.txt requirements-lambda-analysis.txt
	$(PYTHON) -m installation local

$(CHECKS): requirements-checks.lock $(LOCAL)
	$(PYTHON) -m installation checks

demo: $(LOCAL)  ## recordings in, audience out, on this machine: make demo [MEDIA=file-or-folder] [CONSENT=1]
	$(BIN)/python -m local demo $(if $(MEDIA),--media "$(MEDIA)") $(if $(CONSENT),--consent)

open: $(LOCAL)  ## open the report that make demo left, in a browser
	$(BIN)/python -m local open

local: $(LOCAL)  ## leave the local AWS running, with a console and for the AWS CLI: make local [PORT=4566] [CONSOLE_PORT=4567]
	$(BIN)/python -m local up $(if $(PORT),--port $(PORT)) $(if $(CONSOLE_PORT),--console-port $(CONSOLE_PORT))

test: $(CHECKS)  ## every test, offline; the slowest ten are listed
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --durations=10 --durations-min=1

faults: $(CHECKS)  ## every AWS call x every fault it can have, run to its end: about 20 minutes; make faults EVERY=10 for a tenth
	$(BIN)/python -m tests.faults $(if $(EVERY),--every $(EVERY))

interleavings: $(CHECKS)  ## every order of two executions' calls and buttons, two preemptions: make interleavings [SCENARIO=name] [PREEMPTIONS=1] [SEEDS=n]
	$(BIN)/python -m tests.interleavings $(if $(SCENARIO),--scenario "$(SCENARIO)") $(if $(PREEMPTIONS),--preemptions $(PREEMPTIONS)) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(REPEAT),--repeat "$(REPEAT)")

storm: $(CHECKS)  ## random histories of the whole in virtual time: make storm [SEEDS=100000] [FIRST=0] [SEED=12] [MUTATIONS=20000]
	$(BIN)/python -m tests.storms $(if $(SEEDS),--seeds $(SEEDS)) $(if $(FIRST),--first $(FIRST)) $(if $(SEED),--seed $(SEED)) $(if $(MUTATIONS),--mutations $(MUTATIONS))

fuzz: $(CHECKS)  ## damaged recordings to the readers of headers, for a minute: make fuzz [MINUTES=10] [SEED=1] [COUNT=1]
	$(BIN)/python -m tests.fuzz $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) $(if $(COUNT),--count $(COUNT))

attack: $(CHECKS)  ## every role against every resource with real calls, and inputs made to break out
	$(BIN)/python -m tests.attack

bench: $(CHECKS)  ## the benchmarks of docs/performance.md, beside what people use today
	$(BIN)/python -m bench

##@ Check (of one environment: ENV=dev, unless you say another)
lint: $(CHECKS)  ## formatting and style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(CHECKS)  ## types, by mypy
	$(BIN)/mypy

synth: $(LOCAL)  ## the CloudFormation template of ENV into cdk.out/, with all rules of CDK and cdk-nag
	CDK_OUTDIR=cdk.out/$(ENV) CDK_CONTEXT_JSON='{"env": "$(ENV)"}' $(BIN)/python app.py

cfn-lint: synth $(CHECKS)  ## the template of ENV by cfn-lint
	$(BIN)/cfn-lint --template cdk.out/$(ENV)/*.template.json

asl: synth .ci/asl/node_modules/.package-lock.json  ## the state machines of ENV by two validators, which come from the npm registry
	$(BIN)/node .ci/asl/check.js cdk.out/$(ENV)/*.template.json

.ci/asl/node_modules/.package-lock.json: .ci/asl/package-lock.json $(LOCAL)
	$(BIN)/npm ci --prefix .ci/asl --ignore-scripts --no-audit --no-fund --silent
	touch $@

secrets: $(CHECKS)  ## no credentials in any file that git has or would take
	files=$$(git ls-files --cached --others --exclude-standard) && \
		$(BIN)/detect-secrets-hook --no-verify --baseline .secrets.baseline $$files

checks: lint types cfn-lint secrets  ## lint, types, synth, cfn-lint and secrets

##@ Deploy ENV, with your AWS credentials, or ENV=local to rehearse it (the CDK CLI comes from the npm registry; docs/deploy.md)
diff: $(LOCAL)  ## what a deployment of ENV would change
	$(ON_AWS)$(CDK) diff -c env=$(ENV)

bootstrap: $(LOCAL)  ## prepare the AWS account and Region for deployments, once
	$(ON_AWS)$(CDK) bootstrap -c env=$(ENV)

deploy: $(LOCAL)  ## create or update the stack of ENV
	$(ON_AWS)$(BIN)/python -m operations unblock --env $(ENV)
	$(ON_AWS)$(CDK) deploy -c env=$(ENV)

verify: $(LOCAL)  ## check the account and the deployed ENV against docs/aws.md, for some cents: make verify [PREFLIGHT=1]
	$(ON_AWS)$(BIN)/python -m operations verify --env $(ENV) $(if $(PREFLIGHT),--preflight)

destroy: $(LOCAL)  ## delete the stack of ENV; docs/deploy.md says how to empty its buckets first, and what remains
	$(ON_AWS)$(CDK) destroy -c env=$(ENV)

##@ Keep house
lock:  ## pin all packages anew, for every Python from 3.11 on
	$(PYTHON) -m installation lock

clean:  ## remove what was generated
	rm -rf cdk.out out .pytest_cache .mypy_cache .ruff_cache .hypothesis
