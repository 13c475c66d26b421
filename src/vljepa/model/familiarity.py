"""How much a clip resembles the training world: a calibrated score, from the frozen visual features alone."""

import torch
from torch import Tensor, nn

from vljepa.errors import UserError

UNFAMILIAR = 0.01
"""Below this p-value a video counts as unlike the training world; so does one in a hundred of that world itself."""
_MAX_RANK = 64
"""Principal directions kept."""
_CALIBRATION = 1000
"""Quantiles of the held-out distances kept."""


class Familiarity(nn.Module):
    """Mahalanobis distance to the training clips, turned into a conformal p-value on held-out ones.

    The covariance is shrunk to its leading principal directions plus one common variance for all others, so that a
    clip which leaves the training clips' subspace counts as far away too.

    Everything is a buffer of fixed shape and travels with the checkpoint.

    Args:
        dim: D, width of the pooled visual features.
    """

    mean: Tensor
    basis: Tensor
    variance: Tensor
    residual_variance: Tensor
    calibration: Tensor
    fitted: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        rank = min(_MAX_RANK, dim)
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("basis", torch.zeros(dim, rank))
        self.register_buffer("variance", torch.ones(rank))
        self.register_buffer("residual_variance", torch.ones(()))
        self.register_buffer("calibration", torch.zeros(_CALIBRATION))
        self.register_buffer("fitted", torch.zeros(()))

    @torch.no_grad()
    def fit(self, pooled: Tensor, held_out: Tensor) -> None:
        """Learn what is familiar.

        Args:
            pooled: (n, D) features of training clips.
            held_out: (m, D) features of other clips of the same world; they calibrate the score.

        Raises:
            UserError: fewer than two training clips, or no held-out clip.
        """
        if len(pooled) < 2 or len(held_out) < 1:
            raise UserError(
                f"familiarity: {len(pooled)} training and {len(held_out)} held-out clips; needs at least 2 and 1"
            )
        pooled = pooled.double()
        mean = pooled.mean(dim=0)
        _, singular, directions = torch.linalg.svd(pooled - mean, full_matrices=False)
        eigenvalues = singular.square() / (len(pooled) - 1)
        rank = min(self.variance.numel(), len(pooled) - 1)
        # The floor keeps a direction that never varies in training from dividing by zero.
        floor = eigenvalues.sum() / len(mean) * 1e-4 + 1e-12
        rest = eigenvalues[rank:].sum() / max(1, len(mean) - rank)
        self.mean.copy_(mean)
        self.basis.zero_()
        self.basis[:, :rank] = directions[:rank].T
        self.variance.fill_(1.0)
        self.variance[:rank] = eigenvalues[:rank].clamp_min(floor)
        self.residual_variance.copy_(rest.clamp_min(floor))
        quantiles = torch.linspace(0, 1, _CALIBRATION, dtype=torch.float64)
        distances = self.distance(held_out).double().cpu()
        self.calibration.copy_(torch.quantile(distances, quantiles))
        self.fitted.fill_(1.0)

    def distance(self, pooled: Tensor) -> Tensor:
        """Squared Mahalanobis distance of (B, D) features to the training clips, (B,)."""
        centred = pooled.float() - self.mean
        along = centred @ self.basis
        residual = centred.square().sum(dim=-1) - along.square().sum(dim=-1)
        return (along.square() / self.variance).sum(dim=-1) + residual.clamp_min(0) / self.residual_variance

    @torch.no_grad()
    def p_value(self, pooled: Tensor) -> Tensor:
        """Share of held-out clips at least as far from the training clips, (B,) in [0, 1].

        Near 0: unlike anything seen in training. For clips of the training world it is uniform.

        Raises:
            UserError: not fitted yet.
        """
        if not self.fitted:
            raise UserError("this checkpoint holds no familiarity score; train with a recipe that fits it")
        nearer = torch.searchsorted(self.calibration, self.distance(pooled))
        return 1.0 - nearer.float() / len(self.calibration)
