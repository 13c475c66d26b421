import pytest
import torch
from sentence_transformers import SentenceTransformer

from vljepa.config import YEncoderConfig
from vljepa.errors import UserError
from vljepa.model.weights import find_weights
from vljepa.model.y_encoder import load_y_encoder
from vljepa.model.y_encoder.minilm import MINILM, MiniLM

TEXTS = ["a red cube", "the large metal ball rolls behind the box", "no", "a red cube", "yes, " * 30]


@pytest.fixture(scope="module")
def encoder() -> MiniLM:
    return MiniLM(YEncoderConfig(), 384)


def test_equals_sentence_transformers(encoder: MiniLM) -> None:
    reference = SentenceTransformer(str(find_weights(MINILM).folder), device="cpu").encode(
        TEXTS, show_progress_bar=False
    )
    with torch.no_grad():
        ours = encoder.sentence_embedding(TEXTS)
    assert (ours - torch.from_numpy(reference)).abs().max() < 1e-4


def test_head_starts_as_identity_and_rows_keep_their_order(encoder: MiniLM) -> None:
    with torch.no_grad():
        together = encoder(TEXTS)
        alone = torch.cat([encoder([text]) for text in TEXTS])
        assert torch.allclose(together, alone, atol=1e-5)
        assert torch.allclose(together, encoder.sentence_embedding(TEXTS))
    assert torch.equal(together[0], together[3])


def test_token_tables_are_frozen_unless_asked(encoder: MiniLM) -> None:
    encoder.train()
    first, second = encoder(TEXTS), encoder(TEXTS)
    assert torch.equal(first, second), "dropout must be off in training"
    first.square().sum().backward()
    tables = encoder.bert.embeddings
    assert tables.word_embeddings.weight.grad is None and tables.position_embeddings.weight.grad is None
    assert tables.LayerNorm.weight.grad is not None and encoder.head.weight.grad is not None
    encoder.zero_grad()
    trained = MiniLM(YEncoderConfig(train_token_embeddings=True), 8)
    assert trained.bert.embeddings.word_embeddings.weight.requires_grad
    assert trained(["a"]).shape == (1, 8)


def test_long_texts_are_cut_and_no_texts_give_no_rows(encoder: MiniLM) -> None:
    with torch.no_grad():
        assert encoder(["word " * 2000]).shape == (1, 384)
        assert encoder([]).shape == (0, 384)


def test_unknown_encoder_is_refused() -> None:
    with pytest.raises(UserError, match="bge"):
        load_y_encoder(YEncoderConfig(name="bge"), 384)
