"""Settings of every test: shapes checked at each call, one thread, no network."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"

import torch
from jaxtyping import install_import_hook

# Annotations of public signatures, shapes included, are enforced under test only.
install_import_hook("vljepa", "beartype.beartype")

# One thread: results do not depend on the machine's number of cores.
torch.set_num_threads(1)
