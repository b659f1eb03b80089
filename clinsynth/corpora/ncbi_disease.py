"""The NCBI Disease corpus (Doğan, Leaman and Lu 2014)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from clinsynth.corpora.base import Split
from clinsynth.corpora.published import Published, PublishedCorpus, Source
from clinsynth.formats import pubtator
from clinsynth_onnx.document import Document

NAMES: dict[Split, str] = {"train": "train", "val": "develop", "test": "test"}
KINDS = ("SpecificDisease", "DiseaseClass", "CompositeMention", "Modifier")


class NCBIDisease(PublishedCorpus):
    """Diseases in 793 PubMed abstracts; the corpus's four kinds of mention are one label, Disease."""

    folder = "ncbi_disease"
    homepage = "https://www.ncbi.nlm.nih.gov/CBBresearch/Dogan/DISEASE/"
    published: ClassVar[Published] = {
        "train": {"documents": 593, "Disease": 5145},
        "val": {"documents": 100, "Disease": 787},
        "test": {"documents": 100, "Disease": 960},
    }

    def sources(self, split: Split) -> Mapping[str, Source]:
        stem = f"NCBI{NAMES[split]}set_corpus"
        return {f"{stem}.txt": Source(f"{self.homepage}{stem}.zip", f"{stem}.txt")}

    def documents(self, split: Split) -> Iterator[Document]:
        for path in self.located(split):
            for document in pubtator.read(path):
                yield document.relabelled(dict.fromkeys(KINDS, "Disease"))
