"""ImageNet (ILSVRC 2012): 1,000 classes of things in photographs.

Licence: ImageNet's terms of access, non-commercial research, after registration. Link: https://www.image-net.org.
Split: validation, 50,000 images.
Protocol: top-1 under one template and no query, as the model of the paper's stage 1 is trained; no prompt ensembling.
The template is not in the paper: "a photo of a {}." as with CLIP, ``--options "template=..."`` takes another.
Class names are the first of each WordNet synset; ``names=FILE`` takes other ones, such as the list of CLIP's notebook:
a name a line, or a JSON list, in order of the sorted synsets. Classes of equal names (WordNet "crane", "maillot"; CLIP
"missile", "sunglasses") are one, which at most 0.2 % of the images can profit from.
Paper: 61.6 after the images of stage 1.

Files: of Kaggle's release ``LOC_val_solution.csv`` (``ImageId,PredictionString``, the string beginning with the synset)
and ``LOC_synset_mapping.txt`` (synset and names); or of the development kit ``ILSVRC2012_validation_ground_truth.txt``
(a number a line) and ``meta.mat`` (``synsets``: number, synset, names), as torchvision reads them. Images are
``ILSVRC2012_val_<8 digits>.JPEG``, in a folder of the synset or not.
"""

import io
import re
import zlib
from pathlib import Path
from typing import Any

from vljepa.errors import UserError
from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record
from vljepa.evaluation.conversion.spec import BenchmarkSet, Content, Spec
from vljepa.evaluation.conversion.words import class_of, distinct

_SYNSET = re.compile(r"(n\d{8})[\s:]+(.+)")


def _validation(files: Files) -> Content:
    solution = files.optional("LOC_val_solution.csv")
    if solution is None:
        synsets, records = _development_kit(files)
    else:
        synsets = _mapping(files)
        records = files.table(solution, ("ImageId", "PredictionString"))
    files.expect("imagenet: synsets", len(synsets), 1000)
    names = {synset: synsets[synset].split(",")[0].strip() for synset in sorted(synsets)}
    if given := files.option("names"):
        names = dict(zip(names, _names(files, Path(given), len(names)), strict=True))
    if equal := len(names) - len(distinct(names)):
        files.repaired.add(f"names: {equal} stand twice, their classes are one", given or "WordNet")

    def item(record: Record) -> dict[str, Any]:
        image, synset = record.word("ImageId"), record.word("PredictionString").split()[0]
        label = class_of(names, "PredictionString", synset)
        return {"id": image, "media": files.image(f"{synset}/{image}", image), "label": label}

    template = files.option("template", "a photo of a {}.")
    if "{}" not in template:
        raise UserError(f"--options template={template}: has no {{}} for the class's name; write one")
    return Content(records=records, item=item, info={"classes": distinct(names), "templates": [template]})


def _mapping(files: Files) -> dict[str, str]:
    path = files.path("LOC_synset_mapping.txt")
    synsets = {}
    for number, line in enumerate(files.text(path).splitlines(), start=1):
        if found := _SYNSET.fullmatch(line.strip()):
            synsets[found[1]] = found[2]
        elif line.strip():
            files.left_out.add("line: is no synset with its names", f"{path}:{number}")
    return synsets


def _development_kit(files: Files) -> tuple[dict[str, str], list[Record]]:
    """Names of each synset, and records in the form of Kaggle's file."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    truth = files.path("ILSVRC2012_validation_ground_truth.txt")
    meta = files.path("meta.mat")
    try:
        rows = loadmat(io.BytesIO(meta.read_bytes()), squeeze_me=True)["synsets"]
        leaves = [(int(row["ILSVRC2012_ID"]), str(row["WNID"]), str(row["words"])) for row in rows[:1000]]
    except (MatReadError, zlib.error, LookupError, ValueError, TypeError, OSError) as error:
        raise UserError(f"{meta}: is no list of synsets ({error}); fetch the development kit again") from error
    synset = {str(number): name for number, name, _ in leaves}
    records = [
        Record(
            where=f"{truth}:{i}",
            fields={"ImageId": f"ILSVRC2012_val_{i:08d}", "PredictionString": synset.get(line.strip(), line.strip())},
        )
        for i, line in enumerate(files.text(truth).splitlines(), start=1)
    ]
    return {name: words for _, name, words in leaves}, records


def _names(files: Files, path: Path, count: int) -> list[str]:
    """Names that the user gives, in order of the sorted synsets."""
    text = files.text(path)
    found = files.json(path) if text.lstrip().startswith("[") else [line for line in text.splitlines() if line.strip()]
    if len(found) != count or not all(isinstance(name, str) and name.strip() for name in found):
        raise UserError(f"{path}: holds {len(found)} names, the benchmark has {count} classes; give one a line")
    return [name.strip() for name in found]


SET = BenchmarkSet(
    benchmarks=(
        Spec(name="imagenet", task="classification", metric="top1", paper=0.616, items=50_000, read=_validation),
    ),
    options={
        "names": "file of the class names, one a line in order of the sorted synsets; default WordNet's first",
        "template": 'the prompt around a name, default "a photo of a {}."',
    },
)
