"""The command ``vljepa``.

Exit codes: 0 done; 1 the work failed; 2 bad usage or bad input, said in one line; 130 stopped by Ctrl-C; 141 nobody
reads the output any more.
"""

import os
import sys
from collections.abc import Callable, Sequence

import tyro

from vljepa.cli.ablate import ablate
from vljepa.cli.compare import compare
from vljepa.cli.demo import demo
from vljepa.cli.evaluation import evaluate
from vljepa.cli.importing import import_checkpoint
from vljepa.cli.info import info
from vljepa.cli.library import index, search
from vljepa.cli.prepare import prepare
from vljepa.cli.report import report
from vljepa.cli.reproduce import reproduce
from vljepa.cli.serve import serve
from vljepa.cli.stream import stream
from vljepa.cli.tasks import ask, caption, classify
from vljepa.cli.training import tabletop, train, train_decoder
from vljepa.errors import UserError

COMMANDS: dict[str, Callable[..., None]] = {
    "demo": demo,
    "train": train,
    "train-decoder": train_decoder,
    "eval": evaluate,
    "report": report,
    "caption": caption,
    "ask": ask,
    "classify": classify,
    "stream": stream,
    "index": index,
    "search": search,
    "serve": serve,
    "tabletop": tabletop,
    "prepare": prepare,
    "import": import_checkpoint,
    "compare": compare,
    "ablate": ablate,
    "reproduce": reproduce,
    "info": info,
}
_CONTINUED = ("train", "train-decoder", "index", "compare", "ablate", "reproduce")
"""Commands that keep what they did before they were stopped."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        code = _run(list(sys.argv[1:] if argv is None else argv))
        # Here, where it is no error if the reader has gone, and not when Python ends.
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has seen enough, as `head` has. What is left of it must go somewhere at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return code


def _run(args: list[str]) -> int:
    try:
        if len(args) > 1 and args[0] == "train" and not args[1].startswith("-"):
            # The settings of a recipe are known once its name is, so its options are read by a parser of their own.
            train(args[1], tuple(args[2:]))
        else:
            tyro.extras.subcommand_cli_from_dict(COMMANDS, args=args, prog="vljepa")
    except UserError as error:
        # One line, even if it quotes a file name that holds several.
        print("vljepa:", " ".join(str(error).split()), file=sys.stderr)
        return 2
    except BrokenPipeError:
        raise
    except OSError as error:
        print(f"vljepa: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        again = "; the same command goes on from here" if args and args[0] in _CONTINUED else ""
        print(f"vljepa: stopped{again}", file=sys.stderr)
        return 130
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0
