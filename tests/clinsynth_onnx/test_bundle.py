"""A bundle is read exactly as its manifest vouches for it, or not at all."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinsynth_onnx.bundle import MANIFEST, Bundle, BundleError, describe, seal
from clinsynth_onnx.codec import Codec
from clinsynth_onnx.concept_codec import ConceptCodec
from clinsynth_onnx.entity_codec import EntityCodec
from clinsynth_onnx.predictor import Predictor
from clinsynth_onnx.relation_codec import RelationCodec
from clinsynth_onnx.schema import Schema
from clinsynth_onnx.tokens import TextTokenizer

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
SHARED_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def copy(tiny_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_bundle, tmp_path / "copy"))


def zipped(folder: Path, target: Path, prefix: str = "") -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, prefix + file.name)
    return target


def change(folder: Path, edit: Callable[[dict[str, Any]], object]) -> Path:
    manifest = json.loads((folder / MANIFEST).read_text())
    edit(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return folder


@pytest.mark.parametrize("prefix", ["", "model/"])
def test_a_zip_file_is_the_same_as_its_folder(tiny_bundle: Path, tmp_path: Path, prefix: str) -> None:
    text = "The gene of cancer."
    archive = zipped(tiny_bundle, tmp_path / "bundle.zip", prefix)
    with Predictor.load(tiny_bundle) as one, Predictor.load(archive) as other:
        assert one(text) == other(text)
    assert list(tmp_path.iterdir()) == [archive], "nothing is unpacked"


def test_every_file_is_checked(copy: Path) -> None:
    for name in json.loads((copy / MANIFEST).read_text())["files"]:
        data = (copy / name).read_bytes()
        for damaged in (data[:-1], data + b"x", bytes([data[0] ^ 1]) + data[1:]):
            (copy / name).write_bytes(damaged)
            with pytest.raises(BundleError, match=f"{name} is not the file that the manifest describes"):
                Bundle.open(copy).read(name)
        (copy / name).unlink()
        with pytest.raises(BundleError, match=f"{name} is missing"):
            Bundle.open(copy).read(name)
        (copy / name).write_bytes(data)


def test_what_the_manifest_does_not_list_is_not_read(copy: Path) -> None:
    (copy / "other.onnx").write_bytes(b"")
    change(copy, lambda m: m["variants"]["fp32"].update(file="other.onnx"))
    with pytest.raises(BundleError, match=r"does not list 'other\.onnx'"):
        Predictor.load(copy, variant="fp32", engine="onnxruntime")


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/b", "..", ".", "", "a\\b", "nul\0"])
def test_no_path_leads_out_of_a_bundle(copy: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    changed = {"bytes": 6, "sha256": "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"}
    change(copy, lambda m: m["files"].update({name: changed}))
    archive = zipped(copy, tmp_path / "b.zip")
    with zipfile.ZipFile(archive, "a") as added:
        added.writestr("../secret", "secret")
    for bundle in (copy, archive):
        with pytest.raises(BundleError, match="is not a plain file name"):
            Bundle.open(bundle).read(name)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda m: m.update(format_version=2), "format version is 2, this runtime reads 1.*Remedy: install"),
        (lambda m: (m.update(format_version=2), m.pop("files")), "format version is 2"),
        (lambda m: m["files"]["model.onnx"].update(bytes=-2), r"says that model\.onnx has -2 bytes"),
        (lambda m: m["encoder"].update(intermediate_size=0), "intermediate_size is 0"),
        (lambda m: m.update(format="other"), "format is 'other'"),
        (lambda m: m.update(task="poetry"), "task 'poetry' is unknown"),
        (lambda m: m.update(variants={}), "has no network"),
        (lambda m: m.pop("files"), "no 'files' that is a dict"),
        (lambda m: m.update(codec={"no": 1}), "codec cannot be built"),
    ],
)
def test_a_manifest_that_does_not_fit_is_told(
    copy: Path, edit: Callable[[dict[str, Any]], object], message: str
) -> None:
    change(copy, edit)
    with pytest.raises(BundleError, match=message):
        Predictor.load(copy, engine="onnxruntime", variant="fp32")


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_a_network_with_weights_in_other_files_is_refused(copy: Path, engine: str) -> None:
    onnx = pytest.importorskip("onnx")
    if engine == "openvino":
        pytest.importorskip("openvino")
    manifest = json.loads((copy / MANIFEST).read_text())
    graph = onnx.load(copy / "model.onnx")
    weights = next(tensor for tensor in graph.graph.initializer if len(tensor.raw_data) > 1000)
    onnx.external_data_helper.set_external_data(weights, "secret", length=len(weights.raw_data))
    weights.ClearField("raw_data")
    (copy / "model.onnx").write_bytes(graph.SerializeToString())
    seal(copy, manifest)
    with pytest.raises(BundleError, match=r"model\.onnx keeps weights in other files"):
        Predictor.load(copy, engine=engine, variant="fp32")


def test_a_graph_that_cannot_be_loaded_is_told(copy: Path) -> None:
    manifest = json.loads((copy / MANIFEST).read_text())
    (copy / "model.onnx").write_bytes(b"not a graph")
    seal(copy, manifest)
    with pytest.raises(BundleError, match=r"onnxruntime cannot load model\.onnx"):
        Predictor.load(copy, engine="onnxruntime", variant="fp32")


def test_what_is_no_bundle_is_told(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such bundle"):
        Bundle.open(tmp_path / "missing")
    with pytest.raises(BundleError, match=r"manifest\.json is missing"):
        Bundle.open(tmp_path)
    (tmp_path / "text.zip").write_text("no zip file")
    with pytest.raises(BundleError, match="not a folder or a readable zip file"):
        Bundle.open(tmp_path / "text.zip")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a/manifest.json", "{}")
        archive.writestr("b/manifest.json", "{}")
    with pytest.raises(BundleError, match="several files called"):
        Bundle.open(tmp_path / "two.zip")


def test_a_zip_bomb_is_read_no_further_than_the_manifest_says(copy: Path, tmp_path: Path) -> None:
    stated = json.loads((copy / MANIFEST).read_text())["files"]["schema.json"]["bytes"]
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(copy / MANIFEST, MANIFEST)
        archive.writestr("schema.json", bytes(50_000_000))
    bundle = Bundle.open(tmp_path / "bomb.zip")
    with pytest.raises(BundleError, match=r"schema\.json is not the file"):
        bundle.read("schema.json")
    assert stated < 10_000


@given(st.binary(max_size=300))
@SHARED_FOLDER
def test_any_bytes_as_manifest_or_zip_file_give_a_clear_error(tmp_path: Path, data: bytes) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(exist_ok=True)
    (folder / MANIFEST).write_bytes(data)
    (tmp_path / "any.zip").write_bytes(data)
    for path in (folder, tmp_path / "any.zip"):
        with pytest.raises(BundleError, match="Remedy"):
            Bundle.open(path)


@given(data=st.data())
@SHARED_FOLDER
def test_any_value_in_the_manifest_gives_a_clear_error_or_the_same_answers(
    tiny_bundle: Path, tmp_path: Path, data: st.DataObject
) -> None:
    folder = tmp_path / "fuzzed"
    if not folder.exists():
        shutil.copytree(tiny_bundle, folder)
    manifest = json.loads((tiny_bundle / MANIFEST).read_text())
    value: Any = manifest
    while True:  # down to some field, at some depth
        key = data.draw(st.sampled_from(sorted(value)))
        if not isinstance(value[key], dict) or not value[key] or data.draw(st.booleans()):
            break
        value = value[key]
    value[key] = data.draw(JSON)
    (folder / MANIFEST).write_text(json.dumps(manifest))
    try:
        with Predictor.load(folder, engine="onnxruntime") as predictor:
            predictor("The gene of cancer.")
    except BundleError as error:
        assert "Remedy" in str(error)


@given(st.integers(0, 2000), st.integers(1, 255))
@SHARED_FOLDER
def test_a_damaged_zip_file_gives_a_clear_error_or_what_was_meant(
    tiny_bundle: Path, tmp_path: Path, place: int, flip: int
) -> None:
    whole = tmp_path / "whole.zip"
    if not whole.exists():
        zipped(tiny_bundle, whole)
    data = bytearray(whole.read_bytes())
    data[-1 - place] ^= flip  # in the directory at the end, or in the last file
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(data)
    try:
        bundle = Bundle.open(damaged)
        for name in ("schema.json", "tokenizer.json"):
            assert bundle.read(name) == (tiny_bundle / name).read_bytes()
    except BundleError as error:
        assert "Remedy" in str(error)


@pytest.mark.parametrize(
    "make",
    [
        lambda words, task: EntityCodec(words, task, "document", 64, 16, abbreviations=False),
        lambda words, task: RelationCodec(words, task, "markers", 128),
        lambda words, task: ConceptCodec(words, task, 80, 40, threshold=0.6, exclusive=True),
    ],
)
def test_a_bundle_builds_the_codec_that_was_described(
    make: Callable[[TextTokenizer, Schema], Codec], wordpiece: TextTokenizer, schema: Schema, tmp_path: Path
) -> None:
    codec = make(wordpiece, schema)
    task, options = describe(codec)
    (tmp_path / "tokenizer.json").write_text(wordpiece.json, encoding="utf-8")
    (tmp_path / "schema.json").write_text(json.dumps(schema.to_json()), encoding="utf-8")
    (tmp_path / "m.onnx").touch()
    variants = {"fp32": {"file": "m.onnx", "refused": []}}
    seal(
        tmp_path,
        {"task": task, "codec": options, "encoder": {"intermediate_size": 1}, "variants": variants},
    )

    def settings_of(built: Codec) -> dict[str, Any]:
        return {k: v for k, v in vars(built).items() if not k.startswith("_") and k != "tokenizer"}

    built = Bundle.open(tmp_path).codec()
    assert type(built) is type(codec) and settings_of(built) == settings_of(codec)
