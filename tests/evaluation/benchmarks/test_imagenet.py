"""ImageNet: both official forms of the truth, and class names from WordNet or a list."""

import io
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from vljepa.errors import UserError

MAPPING = "n01440764 tench, Tinca tinca\nn03126707 crane\nn02012849 : crane\nn02089078 black-and-tan coonhound\n"
SOLUTION = """ImageId,PredictionString
ILSVRC2012_val_00000001,n01440764 85 1 499 272
ILSVRC2012_val_00000002,n02012849 0 0 1 1 n02012849 2 2 3 3
ILSVRC2012_val_00000003,n03126707
ILSVRC2012_val_00000004,n99999999 1 1 2 2
ILSVRC2012_val_00000005,n01440764
"""


def images(put: Any) -> None:
    put("source/val/n01440764/ILSVRC2012_val_00000001.JPEG")
    put("source/val/ILSVRC2012_val_00000002.JPEG")
    put("source/val/n03126707/ILSVRC2012_val_00000003.JPEG")
    put("source/val/ILSVRC2012_val_00000004.JPEG")


def test_kaggle(run: Any, put: Any, benchmark: Any, items: Any) -> None:
    images(put)
    put("source/LOC_synset_mapping.txt", MAPPING)
    put("source/LOC_val_solution.csv", SOLUTION)
    (written,) = run("imagenet")
    found = benchmark("imagenet")
    # In order of the synsets, the two cranes as one.
    assert found.classes == ["tench", "crane", "black-and-tan coonhound"]
    assert (found.templates, found.query) == (["a photo of a {}."], "")
    media = "../../media/imagenet/val/"
    assert items("imagenet") == [
        {"id": "ILSVRC2012_val_00000001", "media": f"{media}n01440764/ILSVRC2012_val_00000001.JPEG", "label": "tench"},
        {"id": "ILSVRC2012_val_00000002", "media": f"{media}ILSVRC2012_val_00000002.JPEG", "label": "crane"},
        {"id": "ILSVRC2012_val_00000003", "media": f"{media}n03126707/ILSVRC2012_val_00000003.JPEG", "label": "crane"},
    ]
    assert written.left_out.counts == {"PredictionString: is not among the classes": 1, "media: is missing": 1}
    assert written.missing.read_text() == "ILSVRC2012_val_00000005\n"
    assert written.repaired.examples["names: 1 stand twice, their classes are one"] == ["WordNet"]


def test_development_kit(run: Any, put: Any, benchmark: Any, items: Any) -> None:
    images(put)
    kind = [("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O"), ("num_children", "O")]
    rows = np.array([(1, "n02012849", "crane", 0), (2, "n01440764", "tench, Tinca tinca", 0)], dtype=kind)
    file = io.BytesIO()
    savemat(file, {"synsets": rows})
    put("source/devkit/data/meta.mat", file.getvalue())
    put("source/devkit/data/ILSVRC2012_validation_ground_truth.txt", "2\n1\n1\n3\n")
    (written,) = run("imagenet")
    assert benchmark("imagenet").classes == ["tench", "crane"]
    assert [item["label"] for item in items("imagenet")] == ["tench", "crane", "crane"]
    assert written.left_out.counts == {"PredictionString: is not among the classes": 1}
    put("source/devkit/data/meta.mat", b"MATLAB")
    with pytest.raises(UserError, match=r"meta.mat: is no list of synsets"):
        run("imagenet")


@pytest.mark.parametrize(
    "names",
    ["tench fish\nbird crane\ncoonhound\nlifting crane\n", '["tench fish","bird crane","coonhound","lifting crane"]'],
)
def test_names_of_ones_own(run: Any, put: Any, benchmark: Any, items: Any, names: str) -> None:
    images(put)
    put("source/LOC_synset_mapping.txt", MAPPING)
    put("source/LOC_val_solution.csv", SOLUTION)
    path = put("names", names)
    run("imagenet", options={"names": str(path), "template": "{}"})
    assert [item["label"] for item in items("imagenet")] == ["tench fish", "bird crane", "lifting crane"]
    assert benchmark("imagenet").templates == ["{}"]
    put("names", "tench\n")
    with pytest.raises(UserError, match=r"names: holds 1 names, the benchmark has 4 classes"):
        run("imagenet", options={"names": str(path)})
    with pytest.raises(UserError, match=r"^--options template=a photo: has no {} for the class's name"):
        run("imagenet", options={"template": "a photo"})
    with pytest.raises(UserError, match=r"^imagenet: synsets: 4 found, the official release has 1,000"):
        run("imagenet", partial=False)
