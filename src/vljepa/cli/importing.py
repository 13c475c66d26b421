"""Bring in models that others have trained: ``import``."""

import shlex
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import Positional

from vljepa.cli.common import AsJson, show

Backbone = Annotated[
    str | None, tyro.conf.arg(help="Another copy of its pretrained part: owner/name@revision, or a folder.")
]


def import_checkpoint(
    form: Annotated[Positional[Literal["open-vljepa"]], tyro.conf.arg(metavar="FORM", help="Whose: open-vljepa.")],
    source: Annotated[
        Positional[str],
        tyro.conf.arg(metavar="SOURCE", help="owner/name or owner/name@revision on the hub, a folder, or a file."),
    ],
    out: Annotated[Positional[Path], tyro.conf.arg(metavar="OUT", help="Checkpoint folder to be written.")],
    x_encoder: Backbone = None,
    llama: Backbone = None,
    y_encoder: Backbone = None,
    as_json: AsJson = False,
) -> None:
    """Turn a checkpoint of another implementation into a checkpoint folder of this one.

    Its pretrained parts must be at hand too: V-JEPA 2, Llama-3.2-1B (config, tokens) and EmbeddingGemma.

    Example: vljepa import open-vljepa cun-bjy/open-vljepa out/open-vljepa
    """
    from vljepa.model.open_vljepa import Backbones, import_open_vljepa, model_card

    options = {"--x-encoder": x_encoder, "--llama": llama, "--y-encoder": y_encoder}
    command = ["vljepa", "import", form, source, str(out)]
    command += [word for option, name in options.items() if name is not None for word in (option, name)]
    imported = import_open_vljepa(source, Backbones(x_encoder=x_encoder, llama=llama, y_encoder=y_encoder))
    # Its matrices are bfloat16 and float32: neither fits into float16.
    imported.model.save(out, card=model_card(imported, shlex.join(command)), dtype="float32")
    values = {"checkpoint": str(out), "origin": imported.source.origin, "sha256": imported.source.sha256}
    show(values, [str(out)], as_json)
