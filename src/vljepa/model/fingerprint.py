"""How a trained model is known again."""

import hashlib

from vljepa.model.vljepa import VLJEPA


def fingerprint(network: VLJEPA) -> str:
    """SHA-256, as hex, of the trained weights that embeddings depend on.

    The Y-Decoder is not among them: a checkpoint that is given one afterwards keeps its libraries. Frozen backbones
    need not be, since a checkpoint refuses to load with others than those it was trained on.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(network.trained_state().items()):
        if name.startswith(("predictor.", "y_encoder.")):
            digest.update(f"{name} {tuple(tensor.shape)}\n".encode())
            digest.update(tensor.detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
