"""Windows over a stream, against a list built by hand."""

from vljepa.model.bulk import window_rows


def test_window_holds_the_last_frames_and_begins_with_the_first() -> None:
    assert window_rows(4, 3).tolist() == [[0, 0, 0], [0, 0, 1], [0, 1, 2], [1, 2, 3]]
