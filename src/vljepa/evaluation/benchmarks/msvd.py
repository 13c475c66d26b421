"""MSVD: short YouTube clips, each described by some forty people.

Licence: for research, Microsoft Research Video Description Corpus (from memory); the videos are their owners'.
Link: https://github.com/ArrowLuo/CLIP4Clip (``msvd_data.zip``), videos: ``YouTubeClips.tar`` of
https://www.cs.utexas.edu/users/ml/clamp/videoDescription/.
Split: test, 670 of 1,970 clips, 27,763 captions, 21 to 81 a clip (counted in another release of the same captions).
Protocol: text-to-video R@1 among the 670 clips, every caption a query of its own whose one right answer is its clip;
the mean is over captions, not over clips (CLIP4Clip, InternVideo2). Of the captions 4,372 are those of other clips too,
so that 91.4 is the most there is; under ``--options texts=shared`` any of their clips is right, as PE's code has it.
Which of the two the paper took is not known.
Paper (table 1): BASE 49.0, SFT 52.3.

Files: ``test_list.txt``, a clip a line, and ``raw-captions.pkl``, a pickled dict of a clip's captions, each a list of
words (a text is taken too); read without running code. Clips are ``<youtube_id>_<start>_<end>.avi``, cut.
"""

from typing import Any

from vljepa.errors import UserError
from vljepa.evaluation.conversion.captions import captions
from vljepa.evaluation.conversion.files import Files
from vljepa.evaluation.conversion.record import Record
from vljepa.evaluation.conversion.spec import CAPTION, BenchmarkSet, Content, Spec


def _test(files: Files) -> Content:
    texts = files.option("texts", "own")
    if texts not in ("own", "shared"):
        raise UserError(f"--options texts={texts}: choose own or shared")
    path = files.path("raw-captions.pkl", main=True)
    said = files.pickled(path)
    if not isinstance(said, dict):
        raise UserError(f"{path}: holds {type(said).__name__}, not a dict of captions; is it the right file?")

    def item(record: Record) -> dict[str, Any]:
        clip = record.key
        of_clip = Record(where=record.where, fields={"captions": said.get(clip)}).list("captions")
        return {
            "id": clip,
            "media": files.video(clip),
            "texts": captions(files, record, "captions", [_text(caption) for caption in of_clip]),
        }

    info = {"shared_texts": True} if texts == "shared" else {}
    return Content(records=files.listed(files.path("test_list.txt")), item=item, info=info)


def _text(caption: Any) -> Any:
    """The words of a caption as a text; what is no list of words stays what it is."""
    words = isinstance(caption, list) and all(isinstance(word, str) for word in caption)
    return " ".join(caption) if words else caption


SET = BenchmarkSet(
    benchmarks=(
        Spec(
            name="msvd",
            task="retrieval",
            metric="recall@1",
            query=CAPTION,
            paper=0.523,
            items=670,
            read=_test,
        ),
    ),
    options={"texts": "own, or shared: any clip that a caption was written for is right"},
)
