"""The demo's world on disk."""

from pathlib import Path

from vljepa.demo.world import prepare


def test_world_is_written_once_and_again_when_it_is_not_whole(on_world: tuple[str, str], out: Path) -> None:
    summary = out / "world" / "tabletop.json"
    written = summary.stat().st_mtime_ns
    assert (prepare(out / "world") / "stream" / "items.jsonl").is_file()
    assert summary.stat().st_mtime_ns == written
    summary.write_text("{")
    prepare(out / "world")
    assert summary.stat().st_size > 100
