"""What all rows of the table have in common, and which of them are studied."""

from dataclasses import dataclass, replace
from typing import Literal

from vljepa.ablate.rows import ROWS, Row
from vljepa.config import RunConfig, StageConfig
from vljepa.errors import UserError
from vljepa.recipes import RECIPES


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """Runs that differ by one thing each, over several seeds."""

    recipe: Literal["nano", "small", "tiny"] = "nano"
    """Whose model, fine-tuning data and rates are the default."""
    data: str = "data/tabletop"
    """Folder of Tabletop, written if it is not there."""
    tabletop_size: Literal["tiny", "demo", "nano"] = "nano"
    out: str = "runs/ablate"
    """Folder of the runs, and of the outcome."""
    cache: str = ""
    """Folder of the frozen features of the benchmarks; default ``OUT/features``."""
    seeds: tuple[int, ...] = (0, 1, 2)
    num_steps: int = 150
    """Of fine-tuning, at a constant rate."""
    global_batch_size: int = 64
    pretrain_steps: int = 100
    """Of each of the two stages without queries, images and videos, where they come before."""
    limit: int = 200
    """Items of each benchmark at most."""
    split: Literal["test", "validation"] = "test"
    rows: tuple[str, ...] = ()
    """Names of the rows to study, beside those they are compared with; default all that the recipe has."""

    def __post_init__(self) -> None:
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise UserError("ablate: seeds must be one or more different numbers")
        if self.num_steps % 2 or self.global_batch_size % 2 or self.global_batch_size < 4:
            raise UserError(
                "ablate: num_steps and global_batch_size must be even, and this at least 4: there are rows of half"
            )
        names = [row.name for row in self._known()]
        for name in self.rows:
            if name not in names:
                raise UserError(f"ablate: no row {name!r} with {self.recipe}; choose of {', '.join(names)}")

    @property
    def features(self) -> str:
        return self.cache or f"{self.out}/features"

    def studied(self) -> tuple[Row, ...]:
        """The rows in the order of the table."""
        known = {row.name: row for row in self._known()}
        names = set(self.rows or known)
        while more := {known[name].against for name in names} - names:
            names |= more
        return tuple(row for row in known.values() if row.name in names)

    def run(self, row: Row, seed: int) -> RunConfig:
        """The training run of a row. Rows with equal settings have the same one, that of the first of them."""
        settings = self._settings(row, seed)
        first = next(other for other in self._known() if self._settings(other, seed) == settings)
        name = f"{first.name}-{seed}"
        return replace(settings, name=f"ablate-{name}", out=f"{self.out}/{name}")

    def _known(self) -> tuple[Row, ...]:
        """Rows that the recipe's model allows."""
        starts = RECIPES[self.recipe]().model.predictor.init is not None
        return tuple(row for row in ROWS if starts or not row.of_language_model)

    def _settings(self, row: Row, seed: int) -> RunConfig:
        recipe = RECIPES[self.recipe]()
        stages = {stage.name: stage for stage in recipe.stages}
        before = ("image", "video") if row.stage_1 else ()
        run = RunConfig(
            name="",
            model=recipe.model,
            stages=(
                *(self._stage(stages[name], self.pretrain_steps) for name in before),
                self._stage(stages["sft"], self.num_steps),
            ),
            data=self.data,
            tabletop_size=self.tabletop_size,
            seed=seed,
        )
        return row.change(run)

    def _stage(self, stage: StageConfig, num_steps: int) -> StageConfig:
        """The recipe's, shorter, at a constant rate and without steps on texts alone."""
        warmup = min(stage.optim.warmup_steps, num_steps // 4)
        return replace(
            stage,
            num_steps=num_steps,
            global_batch_size=self.global_batch_size,
            optim=replace(stage.optim, schedule="constant", warmup_steps=warmup),
            wordings=None,
        )
