"""Training objectives, and the figures that show a collapse.

All functions on the shared space take unit vectors, ``(batch, embed)``, in float32. The paper's objective is
bi-directional InfoNCE (section 2); cosine, L1 and L2 are its ablation (table 7 c), VICReg and SIGReg what it names for
future work. The token-space VLM of section 4.5 has no such space: ``next_token``.

Where several processes train, each gives its own rows of the batch, equally many, to an objective. The mean of the
ranks' values is then that of the whole batch, and so is the mean of their gradients.
"""

import hashlib
import math

import torch
from torch import Tensor
from torch.nn import functional

from vljepa.config import LossConfig
from vljepa.distributed import gather, rank, world_size

_NUM_DIRECTIONS = 1024
"""Drawn by SIGReg for each batch, as in LeJEPA."""
_LAST_KNOT, _NUM_KNOTS = 5.0, 17
"""Of the characteristic function on its right half; its weight is 4e-6 at the last, so that the quadrature is exact."""
_SIGREG_WEIGHT = 0.05
"""LeJEPA's."""


def info_nce(predicted: Tensor, target: Tensor, logit_scale: Tensor, positives: Tensor | None = None) -> Tensor:
    """Bi-directional InfoNCE, the mean of prediction-to-target and target-to-prediction.

    With several positives in a row, each is scored against the row's negatives alone and the row's loss is the
    mean over its positives: equal targets neither repel nor compete with one another.

    Rows are this rank's, columns those of all ranks: the logits of the whole batch are never held by one process.

    Args:
        predicted: unit predictions, (batch, embed).
        target: unit target embeddings, (batch, embed).
        logit_scale: scalar, the inverse temperature.
        positives: bool (batch, world size * batch), for the whole batch symmetric with a true diagonal; None is the
            plain form (the diagonal alone).

    Returns:
        Scalar, nats.
    """
    logits = logit_scale * predicted @ gather(target).T
    # One process has the other direction's logits already.
    reverse = logits.T if world_size() == 1 else logit_scale * target @ gather(predicted).T
    if positives is None:
        labels = torch.arange(len(logits), device=logits.device) + rank() * len(logits)
        return (functional.cross_entropy(logits, labels) + functional.cross_entropy(reverse, labels)) / 2
    return (_multi_positive(logits, positives) + _multi_positive(reverse, positives)) / 2


def momentum_info_nce(predicted: Tensor, target: Tensor, slow_target: Tensor, logit_scale: Tensor) -> Tensor:
    """InfoNCE with a Y-Encoder that follows slowly (as MoCo, He et al., 2020): predictions find the slow targets, and
    targets find the predictions, held still.

    Args:
        predicted: unit predictions, (batch, embed).
        target: unit embeddings by the trained Y-Encoder, (batch, embed).
        slow_target: unit embeddings by its moving average, without gradient, (batch, embed).
        logit_scale: scalar, the inverse temperature.

    Returns:
        Scalar, nats; where slow and trained Y-Encoder are the same that of ``info_nce``.
    """
    labels = torch.arange(len(predicted), device=predicted.device) + rank() * len(predicted)
    forth = functional.cross_entropy(logit_scale * predicted @ gather(slow_target).T, labels)
    back = functional.cross_entropy(logit_scale * target @ gather(predicted.detach()).T, labels)
    return (forth + back) / 2


def _multi_positive(logits: Tensor, positives: Tensor) -> Tensor:
    # A finite floor instead of -inf keeps the gradient of a row without negatives at zero rather than NaN.
    floor = torch.finfo(logits.dtype).min / 4
    negatives = logits.masked_fill(positives, floor).logsumexp(dim=1, keepdim=True)
    each = functional.softplus(negatives - logits)  # -log(e^s / (e^s + sum of negatives))
    weights = positives.to(logits.dtype)
    return ((each * weights).sum(dim=1) / weights.sum(dim=1)).mean()


def same_text(texts: list[str], device: torch.device | None = None) -> Tensor:
    """Which samples of the whole batch share their target text with those of this rank.

    Returns:
        bool (batch, world size * batch), on ``device``.
    """
    ids = _ids(texts, device)
    return ids[:, None] == gather(ids)[None, :]


def _ids(texts: list[str], device: torch.device | None) -> Tensor:
    """A number for each text, int64 (batch,), equal for equal texts."""
    # Numbers, unlike texts, go round in one exchange; 64 bits do not collide in any batch.
    digests = [hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest() for text in texts]
    return torch.tensor([int.from_bytes(digest, signed=True) for digest in digests], device=device)


def cosine(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean of 1 - cosine similarity; in [0, 2]."""
    return (1 - (predicted * target).sum(dim=1)).mean()


def l1(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean L1 distance of the pairs."""
    return (predicted - target).abs().sum(dim=1).mean()


def l2(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean squared Euclidean distance of the pairs; twice ``cosine`` on unit vectors."""
    return (predicted - target).square().sum(dim=1).mean()


def vicreg(predicted: Tensor, target: Tensor) -> Tensor:
    """VICReg (Bardes et al., 2022): 25 times the pairs' mean squared difference, 25 times a hinge that keeps each
    dimension's standard deviation at 1, once the squared covariances of different dimensions.

    It is meant for vectors without a norm; unit vectors are scaled by the square root of their width first, so that the
    standard deviation of a spread-out space is 1.
    """
    sides = [gather(side) * math.sqrt(side.shape[1]) for side in (predicted, target)]
    # The sum over dimensions before scaling is their mean after it.
    invariance = l2(predicted, target)
    variance = torch.stack([_variance_hinge(side) for side in sides]).mean()
    covariance = torch.stack([_covariance(side) for side in sides]).sum()
    return 25 * invariance + 25 * variance + covariance


def _variance_hinge(rows: Tensor) -> Tensor:
    return functional.relu(1 - (rows.var(dim=0) + 1e-4).sqrt()).mean()


def _covariance(rows: Tensor) -> Tensor:
    centred = rows - rows.mean(dim=0)
    squares = (centred.T @ centred / (len(rows) - 1)).square()
    return (squares.sum() - squares.diagonal().sum()) / rows.shape[1]


def sigreg(predicted: Tensor, target: Tensor, seed: int) -> Tensor:
    """LeJEPA (Balestriero and LeCun, 2025): the pairs' mean squared difference, and 0.05 of SIGReg, which asks that
    both sides be distributed as an isotropic Gaussian: the mean of ``epps_pulley`` over random directions.

    Unit vectors are scaled by the square root of their width first: spread evenly over the sphere they are then near to
    a standard Gaussian in every direction.

    Args:
        seed: of the directions, the same on all ranks.
    """
    sides = [gather(side) * math.sqrt(side.shape[1]) for side in (predicted, target)]
    # Drawn on the CPU: the same on whatever device a run goes on.
    directions = torch.randn(sides[0].shape[1], _NUM_DIRECTIONS, generator=torch.Generator().manual_seed(seed))
    directions = functional.normalize(directions, dim=0).to(sides[0])
    statistic = torch.stack([epps_pulley(side @ directions).mean() for side in sides]).mean()
    return (1 - _SIGREG_WEIGHT) * l2(predicted, target) + _SIGREG_WEIGHT * statistic


def epps_pulley(samples: Tensor) -> Tensor:
    """How far samples are from a standard Gaussian: the squared distance of the characteristic functions, weighted by
    exp(-t^2 / 2) and integrated, times the number of samples.

    Args:
        samples: (batch, columns).

    Returns:
        (columns,).
    """
    knots = torch.linspace(0, _LAST_KNOT, _NUM_KNOTS, device=samples.device, dtype=samples.dtype)
    gaussian = (-knots.square() / 2).exp()
    # One knot at a time: all of them together would be 17 times the samples.
    means = [((t * samples).cos().mean(dim=0), (t * samples).sin().mean(dim=0)) for t in knots]
    real, imaginary = (torch.stack(part) for part in zip(*means, strict=True))
    distance = (real - gaussian[:, None]).square() + imaginary.square()
    # The integrand is even: twice its right half.
    return 2 * len(samples) * torch.trapezoid(distance * gaussian[:, None], knots, dim=0)


def objective(config: LossConfig, predicted: Tensor, target: Tensor, logit_scale: Tensor, texts: list[str]) -> Tensor:
    """The loss that a config names, for unit ``predicted`` and ``target`` (batch, embed) of the target ``texts``."""
    if config.name == "info_nce":
        positives = same_text(texts, predicted.device) if config.multi_positive else None
        return info_nce(predicted, target, logit_scale, positives)
    if config.name == "sigreg":
        # The batch itself seeds the directions: a run that goes on draws them as if it had not stopped.
        seed = int(gather(_ids(texts, predicted.device)).sum())
        return sigreg(predicted, target, seed)
    return {"cosine": cosine, "l1": l1, "l2": l2, "vicreg": vicreg}[config.name](predicted, target)


def next_token(logits: Tensor, tokens: Tensor) -> Tensor:
    """Mean cross-entropy a token, nats.

    Args:
        logits: (tokens, vocabulary), each given all tokens before it; taken in float32.
        tokens: (tokens,) that followed.
    """
    return functional.cross_entropy(logits.float(), tokens)


def alignment(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean squared distance of prediction and target (Wang and Isola, 2020); 0 is perfect."""
    return l2(predicted, target)


def uniformity(embeddings: Tensor) -> Tensor:
    """Log of the mean Gaussian potential over pairs (Wang and Isola, 2020): 0 when collapsed, near -4 when spread."""
    return torch.pdist(embeddings).square().mul(-2).exp().mean().log()


def effective_rank(embeddings: Tensor) -> Tensor:
    """Exponential of the entropy of the normalised singular values: from 1 (collapsed) to min(batch, embed)."""
    values = torch.linalg.svdvals(embeddings)
    shares = values / values.sum()
    return torch.special.entr(shares).sum().exp()
