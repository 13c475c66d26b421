"""How much of it is done: all, or what two cores do within an hour."""

from dataclasses import dataclass, replace

from vljepa.ablate.setting import Ablation
from vljepa.compare.setting import Comparison


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """The three studies that the page is made of."""

    model: str
    """Of tables 1 to 6 and figure 4: name of a shipped model, or a checkpoint folder."""
    data: str
    """Folder of Tabletop, written if it is not there."""
    out: str
    """Folder of the runs and of the page."""
    limit: int | None
    """Items of each benchmark of tables 1 to 6 at most, spread over it."""
    comparison: Comparison
    """Figure 3."""
    wordings: tuple[int, ...]
    """Numbers of wordings a fact that its models are trained with once more."""
    ablation: Ablation
    """Table 7."""


def full(model: str, data: str, out: str) -> Reproduction:
    """Three seeds, tuned rates, every item of tables 1 to 6: short runs with intervals, not long ones without."""
    return Reproduction(
        model=model,
        data=data,
        out=out,
        limit=None,
        comparison=Comparison(
            data=data,
            out=f"{out}/compare",
            cache=f"{out}/cache",
            rates=(3e-4, 7e-4, 1.6e-3),
            trial_steps=60,
            num_steps=160,
            # Half the paper's: twice the updates in the same time.
            global_batch_size=64,
            decoder_steps=80,
            more_decoder_steps=20,
            limit=100,
        ),
        wordings=(1, 4, 16),
        ablation=Ablation(data=data, out=f"{out}/ablate", cache=f"{out}/cache"),
    )


def quick(model: str, data: str, out: str) -> Reproduction:
    """One seed, short runs at the default rates, the rows of table 7 that claims rest on: directions, not results."""
    whole = full(model, data, out)
    return replace(
        whole,
        limit=50,
        comparison=replace(
            whole.comparison,
            rates=(),
            seeds=(0,),
            num_steps=80,
            num_points=4,
            first_share=1 / 8,
            decoder_steps=60,
            limit=50,
        ),
        wordings=(),
        ablation=replace(
            whole.ablation,
            seeds=(0,),
            num_steps=40,
            pretrain_steps=20,
            limit=50,
            rows=(
                "stage-1",
                "y-rate-0",
                "y-rate-1",
                "frozen-cosine",
                "frozen-l1",
                "frozen-l2",
                "double-depth",
                "causal",
            ),
        ),
    )
