# Two commands do everything on a fresh machine with Rust, a C++ compiler and python3 with pip:
#   make demo    fetches libtorch, builds, trains sweeps/demo.yaml, prints its table
#   make test    fetches what tests need, builds, passes
# A LIBTORCH of yours (libtorch 2.11) is used instead of fetching one.

ifeq ($(origin LIBTORCH),undefined)
export LIBTORCH := $(CURDIR)/.libtorch/2.11.0
fetch = python3 scripts/fetch_libtorch.py $(LIBTORCH)
else
export LIBTORCH
fetch = test -d "$(LIBTORCH)/lib" || { echo "error: LIBTORCH=$(LIBTORCH) has no lib folder" >&2; exit 1; }
endif

.PHONY: learn-strings fleet-check acceptance slurm sshd tex image deploy-check deploy-tools demo install check-install data test lint chaos simulate simulation-coverage museum bench bench-train gpu-check build libtorch postgres browser screenshot release-fixture

demo: build ## train the demo sweep and print its table
	target/release/acai run sweeps/demo.yaml

build: libtorch ## target/release/acai and target/release/acai-trainer
	cargo build --release --locked -p acai-cli -p acai-trainer

install: build ## PREFIX=DIR: both programs and what they need of libtorch, in a folder that can be moved
	scripts/install.sh "$(PREFIX)" target/release

check-install: build ## install, move the folder away, train there in an empty environment
	scripts/check_install.sh target/release

data: build ## fetch the published files that a test reads into data/ (30 MB)
	target/release/acai data fetch fashion-mnist32

test: libtorch postgres sshd browser tex ## every test
	cargo test --workspace --locked
	dashboard/tests/browser/test.py target/debug
	scripts/bench.sh debug 4
	scripts/gpu_check.sh debug
	scripts/check_install.sh target/debug

# MINUTES of faults on each STORE, which SEED decides.
MINUTES ?= 5
SEED ?= 1
STORE ?= sqlite postgres

chaos: libtorch postgres ## break a real cluster, prove that nothing was lost: MINUTES=5 SEED=1 STORE="sqlite postgres"
	cargo build --release --locked -p acai-cli -p acai-trainer -p acai-chaos
	for store in $(STORE); do target/release/acai-chaos --minutes $(MINUTES) --seed $(SEED) --store $$store || exit 1; done

# How many SEEDS of the simulation, from the FIRST on. From 100000 on they have all kinds of faults.
SEEDS ?= 1000
FIRST ?= 100000

simulate: ## the agent and the service under simulated faults: SEEDS=1000 FIRST=100000
	cargo build --release --locked -p acai-simulation
	target/release/acai-simulate --seeds $(FIRST)..$$(($(FIRST) + $(SEEDS))) --logs target/simulated

simulation-coverage: ## which lines of the agent and the service seeds reach: SEEDS=60; needs llvm-tools (rustup), or LLVM_BIN=FOLDER
	scripts/simulation_coverage.py $(FIRST) $(SEEDS)

lint: libtorch ## formatting, clippy, dependency arrows, syntax of scripts
	cargo fmt --all -- --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	scripts/check_arrows.sh
	for script in scripts/*.sh museum/run.sh examples/*.sh; do \
		case $$(head -n 1 $$script) in *bash) bash -n $$script ;; *) sh -n $$script ;; esac || exit 1; done
	python3 -c 'import ast, sys; [ast.parse(open(file).read(), file) for file in sys.argv[1:]]' scripts/*.py trainer/eager/*.py dashboard/tests/browser/*.py

fleet-check: libtorch postgres slurm ## fleets on a real Slurm of this machine: machines come, die and go
	cargo test --workspace --locked --test end_to_end -- --ignored fleets:: --test-threads 2

acceptance: libtorch postgres slurm ## two coordinators on a Postgres, a bucket, a Slurm whose machines die: the table of `acai run`
	cargo test --workspace --locked --test end_to_end -- --ignored fleets::acceptance

learn-strings: build ## with the critic, interpolations come nearer to strings: eleven minutes of processor time
	scripts/learn_strings.py target/release

slurm: ## fetch a Slurm for tests into .slurm, without root (silent when it is there)
	@scripts/slurm_local.sh fetch

sshd: ## fetch an ssh server for tests into .sshd, without root (silent when it is there; says so where it cannot)
	@test -x .sshd/usr/sbin/sshd || scripts/fetch_debian.sh .sshd openssh-server libwrap0 || echo "no ssh server: what it is for is not tested"

tex: ## fetch a LaTeX for tests into .tex, without root (silent when it is there; says so where it cannot)
	@scripts/fetch_tex.sh .tex || echo "no LaTeX: tables are not put through it"

image: build ## build the images of deploy/, train a sweep in them (as root, without podman: in a Debian of its own); says so where it cannot
	@scripts/install.sh deploy/container/acai target/release
	@if command -v podman >/dev/null; then scripts/check_images.sh; else scripts/podman_root.sh .images scripts/check_images.sh; fi \
		|| { [ $$? = 77 ] && echo "skipped: images, since there is no podman and none can be had"; }

deploy-check: deploy-tools ## what deploy/ has, checked by the programs that it is for
	scripts/deploy_check.sh

deploy-tools: ## fetch those programs into .tools, without root (silent when they are there)
	@scripts/fetch_deploy_tools.sh .tools

museum: libtorch postgres ## put historic faults back, one at a time; a test must fail for each
	museum/run.sh

release-fixture: libtorch postgres ## PROGRAMS=FOLDER: databases that a release's programs write, for the tests of later versions
	@test -n "$(PROGRAMS)" || { echo "error: name the folder of the release's programs: make release-fixture PROGRAMS=FOLDER" >&2; exit 1; }
	PROGRAMS="$(PROGRAMS)" cargo test --locked -p acai-cli --test end_to_end -- --ignored --exact released::make_the_databases_of_a_release

bench: build bench-train ## all benchmarks
	scripts/bench.sh

bench-train: libtorch ## training speed of every model beside eager PyTorch (fetches it, 2 GB, into .venv)
	scripts/bench_train.sh

gpu-check: libtorch ## build what checks the trainer on a GPU; run it if there is one
	scripts/gpu_check.sh

libtorch: ## fetch libtorch into .libtorch (silent when it is there)
	@command -v python3 >/dev/null || { echo "error: python3 with pip is needed to fetch libtorch; or set LIBTORCH" >&2; exit 1; }
	@$(fetch)

postgres: ## fetch the server that tests use into .postgres (silent when it is there)
	@command -v python3 >/dev/null || { echo "error: python3 with pip is needed to fetch Postgres" >&2; exit 1; }
	@python3 scripts/fetch_postgres.py .postgres/18.6.3

browser: ## fetch the browser that the dashboard is tested in into .browser (silent when it is there; says so where it cannot)
	@command -v python3 >/dev/null || { echo "error: python3 is needed to test the dashboard" >&2; exit 1; }
	@python3 scripts/fetch_browser.py .browser

screenshot: build browser ## docs/dashboard.png, of a sweep that is trained for it
	dashboard/tests/browser/screenshot.py target/release docs/dashboard.png
