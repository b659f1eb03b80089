"""UIMA XMI, as INCEpTION, WebAnno and cTAKES export it: a file a document, or a folder of them.

The format is that of OASIS UIMA 1.0, with offsets in UTF-16 code units, which ``dkpro-cassis`` reads. Types
and features are taken from the file itself, so that it needs no type system beside it.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from cassis import Cas, TypeSystem, load_cas_from_xmi
from cassis.typesystem import (
    TYPE_NAME_ANNOTATION,
    TYPE_NAME_STRING,
    TYPE_NAME_STRING_ARRAY,
    TYPE_NAME_TOP,
    TypeNotFoundError,
)

from clinsynth.formats.detection import is_xmi
from clinsynth.formats.errors import CorpusError
from clinsynth.formats.lines import read_text
from clinsynth.formats.safe_xml import root_of
from clinsynth_onnx.document import Document, Entity, Relation

log = logging.getLogger("clinsynth")

NAMED_ENTITY = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
RELATION = "webanno.custom.Relation"
VALUE, CONCEPT = "value", "identifier"
GOVERNOR, DEPENDENT = "Governor", "Dependent"
# about a text and its parts, not what people or pipelines found in it
STRUCTURE = re.compile(
    r"uima\.|de\.tudarmstadt\.ukp\.dkpro\.core\.api\.(segmentation|metadata|lexmorph|syntax|transform)\."
    r"|org\.apache\.ctakes\.typesystem\.type\.(syntax|structured|util)\."
)
XMI = "{http://www.omg.org/XMI}"
PREFIX = "{http:///"  # of a namespace that is a Java package
ENDINGS = (".xmi", ".xml")
OFF_TEXT = "Not mapping external offset"  # said by cassis
BROKEN = (LookupError, TypeError, ValueError, AttributeError, RuntimeError, SyntaxError, TypeNotFoundError)


def read(path: Path, layer: str | None = None, feature: str | None = None) -> Iterator[Document]:
    """Documents named after their files, in the order of the names.

    Args:
        path: A file, or a folder.
        layer: Type of the annotations that are mentions, by its whole name or the last part of it; several
            separated by commas. Named entities of DKPro if not given, or the only layer that a file has.
        feature: Feature that holds the label of a mention. ``value`` of named entities if not given, else
            the label is the last part of the layer's name.

    ``meta["concepts"]`` has the ``identifier`` of named entities. Annotations with a Governor and a
    Dependent that are mentions are relations between them, labelled by their ``label``, their ``value`` or
    the last part of their type's name. Raises ``CorpusError``, and lists what a file has where a layer or
    a feature is not in it.
    """
    files = [path]
    if path.is_dir():
        # other XML may lie beside them; what is called .xmi is read, or told as broken
        there = (f for f in path.rglob("*") if f.suffix.lower() in ENDINGS)
        files = sorted(f for f in there if f.suffix.lower() == ".xmi" or is_xmi(f))
    if not files:
        raise CorpusError(path, None, "the folder has no XMI files", "check the path")
    wanted = None if layer is None else [name.strip() for name in layer.split(",")]
    missing = set(wanted or ())
    first = None
    for file in files:
        name = file.stem if path == file else file.relative_to(path).with_suffix("").as_posix()
        source = _Source(file)
        missing -= {name for name in missing if source.layers_named(name)}
        first = first or source
        yield source.document(name, wanted, feature)
    if missing and first is not None:
        raise first.error(f"no file has an annotation of the layer {', '.join(sorted(missing))}")


class _Source:
    """A file, its text, and its annotations in the order of their ids."""

    def __init__(self, path: Path) -> None:
        self._path = path
        content = read_text(path).removeprefix("\ufeff")
        root = root_of(path, content)
        if root.tag != f"{XMI}XMI":
            raise CorpusError(path, None, "this is not UIMA XMI", "check the format, or name another")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of names of features that Python reserves
                warnings.filterwarnings("error", OFF_TEXT)
                view = _with_text(load_cas_from_xmi(BytesIO(content.encode("utf-8")), _types(root)))
                self.text: str = view.sofa.sofaString or ""
                annotations: list[Any] = sorted(view.get_all_annotations(), key=lambda found: found.xmiID)
        except UserWarning as error:
            raise CorpusError(
                path, None, str(error), "export the file again; offsets count UTF-16 code units"
            ) from error
        except BROKEN as error:
            raise CorpusError(
                path,
                None,
                f"it cannot be read as UIMA XMI ({type(error).__name__})",
                "is the file cut off? export it again",
            ) from error
        self._annotations = annotations

    def layers_named(self, name: str) -> set[str]:
        """Whole names of the layers that have annotations and are called so."""
        return {kind for kind in map(_kind, self._annotations) if name in (kind, _short(kind))}

    def error(self, problem: str) -> CorpusError:
        """An error that lists the layers of the file and their features."""
        counts = Counter(kind for kind in map(_kind, self._annotations) if not STRUCTURE.match(kind))
        features: dict[str, set[str]] = {}
        for found in self._annotations:
            features.setdefault(_kind(found), set()).update(_features(found))
        layers = "; ".join(
            f"{_short(kind)} ({count} annotations, features: {', '.join(sorted(features[kind])) or 'none'})"
            for kind, count in sorted(counts.items())
        )
        return CorpusError(
            self._path, None, problem, f"name one with --layer and --feature; it has: {layers or 'none'}"
        )

    def document(self, name: str, layers: Sequence[str] | None, feature: str | None) -> Document:
        kinds = (
            self._layers() if layers is None else {k for layer in layers for k in self.layers_named(layer)}
        )
        mentions = [found for found in self._annotations if _kind(found) in kinds]
        empty = [found for found in mentions if found.begin == found.end]
        if empty:
            log.warning("%s: %d annotations of no text are left out", self._path, len(empty))
        mentions = [found for found in mentions if found.begin != found.end]
        entities = tuple(self._entity(found, feature) for found in mentions)
        place = {str(found.xmiID): i for i, found in enumerate(mentions)}
        concepts = [_value(found, CONCEPT) for found in mentions]
        meta = {"concepts": concepts} if any(concepts) else {}
        return Document(self.text, entities, tuple(self._relations(place)), name, meta)

    def _layers(self) -> Collection[str]:
        kinds = {_kind(found) for found in self._annotations}
        if NAMED_ENTITY in kinds:
            return {NAMED_ENTITY}
        kinds -= {_kind(found) for found in self._annotations if _value(found, GOVERNOR)}
        kinds = {kind for kind in kinds if not STRUCTURE.match(kind)}
        if len(kinds) > 1:
            raise self.error(f"it has {len(kinds)} layers of annotations, and none is named")
        return kinds

    def _entity(self, found: Any, feature: str | None) -> Entity:
        kind = _kind(found)
        start, end = found.begin, found.end
        if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(self.text)):
            raise CorpusError(
                self._path,
                None,
                f"the annotation with the id {found.xmiID} is not inside the text",
                "export the file again; offsets count UTF-16 code units",
            )
        if feature is None and kind != NAMED_ENTITY:
            return Entity(start, end, _short(kind))
        label = _value(found, feature or VALUE)
        if not isinstance(label, str) or not label:
            raise self.error(f"the {_short(kind)} with the id {found.xmiID} has no {feature or VALUE}")
        return Entity(start, end, label)

    def _relations(self, place: dict[str, int]) -> Iterator[Relation]:
        for found in self._annotations:
            ends = [str(_value(found, name)) for name in (GOVERNOR, DEPENDENT)]
            if all(end in place for end in ends):
                label = _value(found, "label") or _value(found, VALUE) or _short(_kind(found))
                if ends[0] == ends[1]:
                    raise CorpusError(
                        self._path,
                        None,
                        f"the relation with the id {found.xmiID} relates a mention to itself",
                        "remove it, or name two mentions",
                    )
                yield Relation(place[ends[0]], place[ends[1]], label)


def _types(root: Any) -> TypeSystem:
    """The types of a file: what has a begin and an end is an annotation, and all features are strings."""
    types = TypeSystem()
    features: dict[str, dict[str, str]] = {}
    for node in root:
        if isinstance(node.tag, str) and node.tag.startswith(PREFIX):
            name = node.tag[len(PREFIX) :].replace("/", ".").replace(".ecore}", ".")
            known = features.setdefault(name.removeprefix("uima.noNamespace."), {})
            known.update(dict.fromkeys(map(str, node.attrib), TYPE_NAME_STRING))
            known.update({str(child.tag): TYPE_NAME_STRING_ARRAY for child in node})
    for name, known in features.items():
        if types.contains_type(name):
            continue
        place = {"sofa", "begin", "end"}
        is_annotation = place <= known.keys()
        made = types.create_type(name, TYPE_NAME_ANNOTATION if is_annotation else TYPE_NAME_TOP)
        for feature, kind in known.items():
            if not feature.startswith("{") and not (is_annotation and feature in place):
                types.create_feature(made, feature, kind)
    return types


def _with_text(cas: Cas) -> Any:
    """The view that has a text, the first of them if there are several: the initial one."""
    return next((view for view in cas.views if view.sofa.sofaString), cas.views[0])


def _kind(found: Any) -> str:
    return str(found.type.name)


def _short(kind: str) -> str:
    return kind.rpartition(".")[2]


def _value(found: Any, feature: str) -> Any:
    """What a feature holds, or ``None``; its object has methods of its own with names of features."""
    return next(
        (getattr(found, known.name) for known in found.type.all_features if known.name == feature), None
    )


def _features(found: Any) -> set[str]:
    names = {feature.name for feature in found.type.all_features} - {"sofa", "begin", "end"}
    return {name for name in names if _value(found, name) is not None}
