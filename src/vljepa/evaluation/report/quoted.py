"""The rows of the paper's tables 1 to 6, as printed: VL-JEPA (arXiv 2512.10942v2), pages 5, 6 and 8.

Nothing here was measured by this project. Numbers are in percent; None where the paper prints none. Averages stand
first in their group of columns, and are the paper's own: plain means of the columns of the group, those of table 6 too,
which its text calls micro averages (``tests/evaluation/report/test_quoted.py`` has the arithmetic).
"""

from dataclasses import dataclass

PAPER = "arXiv 2512.10942v2"


@dataclass(frozen=True)
class Quoted:
    """A row as the paper prints it."""

    model: str
    facts: tuple[str, ...]
    """What the paper says of the model beside: size, parameters and so on, as the table's head names them."""
    values: tuple[float | None, ...]


# Size, parameters, samples seen, zero-shot, generalist; average and 8 of classification, average and 8 of retrieval.
TABLE_1 = (
    Quoted("CLIP", ("RN50", "75M", "12.8B", "yes", "yes"),
        (21.8, 2.1, 1.5, 2.1, 41.4, 8.6, 39.0, 10.9, 68.7, 28.3, 28.7, 17.7, 24.7, 29.7, 5.1, 27.6, 47.2, 46.0)),
    Quoted("CLIP", ("ViT-B", "124M", "12.8B", "yes", "yes"),
        (25.4, 3.1, 1.3, 2.8, 49.5, 11.2, 47.3, 16.2, 71.5, 29.3, 31.0, 19.5, 25.7, 34.0, 6.1, 27.0, 48.5, 42.9)),
    Quoted("CLIP", ("ViT-L", "389M", "12.8B", "yes", "yes"),
        (30.7, 3.8, 3.7, 2.6, 58.3, 14.7, 63.5, 20.8, 78.5, 35.3, 35.9, 23.4, 30.7, 41.9, 7.9, 36.7, 56.8, 49.3)),
    Quoted("SigLIP2", ("ViT-B", "375M", "40B", "yes", "yes"),
        (33.9, 5.2, 2.3, 4.5, 57.8, 20.6, 69.9, 27.7, 82.9, 39.6, 40.2, 25.0, 32.1, 48.6, 13.8, 52.1, 60.9, 43.7)),
    Quoted("SigLIP2", ("ViT-L", "882M", "40B", "yes", "yes"),
        (38.6, 5.9, 4.5, 6.4, 63.6, 24.2, 78.5, 35.1, 90.8, 45.4, 41.6, 32.7, 35.1, 53.5, 19.0, 59.2, 71.6, 50.9)),
    Quoted("SigLIP2", ("ViT-g", "1.9B", "40B", "yes", "yes"),
        (39.8, 6.1, 6.1, 5.6, 68.0, 26.0, 80.4, 35.1, 90.8, 47.5, 43.4, 33.9, 38.9, 56.0, 22.2, 60.4, 73.0, 52.5)),
    Quoted("PE-Core", ("ViT-B", "448M", "58B", "yes", "yes"),
        (37.2, 5.8, 3.3, 6.0, 65.4, 21.5, 77.1, 26.9, 91.8, 44.9, 46.5, 35.4, 35.3, 49.1, 15.2, 59.8, 68.7, 49.2)),
    Quoted("PE-Core", ("ViT-L", "671M", "58B", "yes", "yes"),
        (42.9, 9.3, 6.0, 11.6, 73.4, 27.1, 83.3, 37.5, 95.3, 50.2, 48.9, 41.7, 40.8, 56.2, 22.5, 64.7, 75.9, 51.0)),
    Quoted("PE-Core", ("ViT-G", "2.3B", "86B", "yes", "yes"),
        (44.7, 9.0, 6.4, 13.6, 76.4, 29.0, 86.0, 40.3, 97.2, 58.1, 51.6, 49.1, 44.5, 58.7, 26.0, 77.0, 89.2, 68.5)),
    Quoted("VL-JEPA_BASE", ("ViT-L", "1.6B", "3.3B", "yes", "yes"),
        (52.5, 19.3, 21.8, 33.2, 64.8, 47.4, 79.4, 64.5, 89.6, 63.7, 40.0, 64.9, 50.0, 49.0, 40.4, 83.1, 93.3, 88.8)),
    Quoted("VL-JEPA_SFT", ("ViT-L", "1.6B", "3.6B", "no", "yes"),
        (75.4, 73.2, 44.6, 68.1, 84.8, 66.4, 90.3, 79.8, 96.2, 63.8, 46.2, 62.4, 52.3, 52.3, 37.8, 82.6, 89.3, 87.7)),
    Quoted("Previous SoTA (including specialist models)", ("", "", "", "no", "no"),
        (None, 77.5, 56.4, 47.8, 92.1, 67.3, 95.3, 64.5, 96.0, None, 62.8, 74.1, 74.2, 61.4, 28.9, 77.0, 89.2, 68.5)),
)  # fmt: skip

# Accuracy.
TABLE_2_GQA = (
    Quoted("BLIP-2 (OPT-2.7B)", (), (33.9,)),
    Quoted("BLIP-2 (FlanT5XXL)", (), (41.0,)),
    Quoted("InstructBLIP (FlanT5XL)", (), (48.4,)),
    Quoted("InstructBLIP (Vicuna-13B)", (), (49.5,)),
    Quoted("Qwen-VL-Chat-7B", (), (57.5,)),
    Quoted("Qwen-VL-7B", (), (59.3,)),
    Quoted("InternVL-Chat (Vicuna-7B)", (), (59.5,)),
    Quoted("LLaVA-1.5 (Vicuna-7B)", (), (62.0,)),
    Quoted("InternVL-Chat (Vicuna-13B)", (), (66.6,)),
    Quoted("VL-JEPA_SFT (1.6B)", (), (61.5,)),
)
TABLE_2_TALLYQA = (
    Quoted("SmolVLM-256M", (), (32.3,)),
    Quoted("SmolVLM-500M", (), (44.8,)),
    Quoted("PaLI-700M", (), (62.3,)),
    Quoted("SmolVLM-2B", (), (64.7,)),
    Quoted("PaLI-3B", (), (65.8,)),
    Quoted("InstructBLIP (Vicuna-13B)", (), (68.0,)),
    Quoted("PaLI-17B", (), (71.9,)),
    Quoted("LLaVA-1.5 (Vicuna-13B)", (), (72.3,)),
    Quoted("PaliGemma (3B)", (), (76.8,)),
    Quoted("VL-JEPA_SFT (1.6B)", (), (69.9,)),
)
TABLE_2_POPE = (
    Quoted("SmolVLM2-256M", (), (56.4,)),
    Quoted("SmolVLM-256M", (), (57.9,)),
    Quoted("LLaVA-7B", (), (72.9,)),
    Quoted("InstructBLIP (Vicuna-13B)", (), (79.0,)),
    Quoted("Video-LLaVA (7B)", (), (83.4,)),
    Quoted("SmolVLM-500M", (), (85.8,)),
    Quoted("LLaVA-1.5-7B", (), (85.9,)),
    Quoted("LLaVA-1.5-13B-HD", (), (86.3,)),
    Quoted("SmolVLM-2B", (), (87.5,)),
    Quoted("VL-JEPA_SFT (1.6B)", (), (85.7,)),
)
TABLE_2_POPEV2 = (
    Quoted("SmolVLM-256M", (), (62.3,)),
    Quoted("LLaVA-1.5-13B", (), (72.7,)),
    Quoted("InternVL2-8B", (), (74.5,)),
    Quoted("InternVL2-26B", (), (76.1,)),
    Quoted("Qwen2-VL-72B", (), (79.4,)),
    Quoted("SmolVLM-500M", (), (83.8,)),
    Quoted("Qwen2-VL-7B", (), (87.0,)),
    Quoted("SmolVLM-2B", (), (88.8,)),
    Quoted("Qwen2-VL-2B", (), (91.3,)),
    Quoted("VL-JEPA_SFT (1.6B)", (), (86.3,)),
)

# Parameters; accuracy. The paper prints models as columns.
TABLE_3 = (
    Quoted("InternVL2.5", ("2B",), (20.0,)),
    Quoted("InternVL2.5", ("4B",), (29.8,)),
    Quoted("InternVL2.5", ("26B",), (30.2,)),
    Quoted("InternVL2.5", ("38B",), (50.3,)),
    Quoted("Qwen2.5-VL", ("3B",), (21.6,)),
    Quoted("Qwen2.5-VL", ("7B",), (45.5,)),
    Quoted("Qwen2.5-VL", ("32B",), (49.0,)),
    Quoted("Qwen2.5-VL", ("72B",), (57.0,)),
    Quoted("Llama-3.1, Socratic", ("8B",), (48.7,)),
    Quoted("Llama-3.1, Socratic", ("70B",), (49.8,)),
    Quoted("Llama-4, Socratic", ("109B",), (52.7,)),
    Quoted("Llama-4, Socratic", ("400B",), (53.6,)),
    Quoted("Qwen2.5, Socratic", ("3B",), (44.0,)),
    Quoted("Qwen2.5, Socratic", ("7B",), (49.1,)),
    Quoted("Qwen2.5, Socratic", ("72B",), (48.5,)),
    Quoted("GPT-4o, Socratic", ("N/A",), (52.0,)),
    Quoted("Claude-3.5, Socratic", ("N/A",), (53.3,)),
    Quoted("Gemini-2, Socratic", ("N/A",), (55.6,)),
    Quoted("VL-JEPA_BASE", ("1.6B",), (63.9,)),
    Quoted("VL-JEPA_SFT", ("1.6B",), (65.7,)),
)

# Vision encoder; class-mean recall at 5, 1, 2, 4 and 10 s ahead. All are finetuned.
TABLE_4 = (
    Quoted("V-JEPA 2", ("ViT-g-384px",), (39.7, 28.6, 19.3, 8.2)),
    Quoted("V-JEPA 2", ("ViT-L-256px",), (32.7, 23.4, 15.9, 7.1)),
    Quoted("VL-JEPA (finetuned SFT)", ("ViT-L-256px",), (34.2, 26.0, 19.4, 11.7)),
)

# Parameters; accuracy. All are finetuned. The paper prints models as columns.
TABLE_5 = (
    Quoted("VideoLLM-online", ("8B",), (49.1,)),
    Quoted("VideoLLM-MoD", ("8B",), (49.7,)),
    Quoted("ProVideLLM-8B/11+", ("8B",), (53.6,)),
    Quoted("VL-JEPA (finetuned SFT)", ("1.6B",), (56.2,)),
)

# Size, parameters, those of the text encoder; SugarCrepe++: average and 5 groups; VISLA: average and 2 groups.
TABLE_6 = (
    Quoted("CLIP", ("ViT-L", "389M", "85M"), (44.5, 56.7, 83.0, 42.5, 27.0, 13.5, 34.5, 37.6, 31.3)),
    Quoted("SigLIP2", ("ViT-g", "1.9B", "708M"), (56.5, 66.9, 74.4, 52.1, 58.4, 30.6, 40.4, 48.7, 32.1)),
    Quoted("PE-Core", ("ViT-G", "2.3B", "537M"), (58.6, 73.6, 90.6, 48.9, 53.2, 26.5, 38.3, 45.2, 31.4)),
    Quoted("VL-JEPA_BASE", ("ViT-L", "1.6B", "300M"), (63.9, 72.2, 90.1, 52.2, 62.9, 42.0, 42.9, 49.8, 35.9)),
    Quoted("VL-JEPA_SFT", ("ViT-L", "1.6B", "300M"), (58.4, 68.5, 90.9, 47.4, 55.4, 29.8, 39.5, 44.8, 34.2)),
)

FIGURE_4 = 2.85
"""Times fewer decodings: selective at 0.35 Hz equals uniform at 1 Hz (section 4.6)."""
