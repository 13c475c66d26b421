"""LLaVA: conversations in one JSON array.

Format: ``docs/Finetune_Custom_Data.md`` of github.com/haotian-liu/LLaVA. Nothing there keeps ids unique, and mixtures
have several records on one image, so a sample's id is the record's place in the array. The array is read whole.
"""

from vljepa.data.prepare.conversation import exchanges
from vljepa.data.prepare.entry import Found, Job, Unusable
from vljepa.data.prepare.files import below
from vljepa.data.prepare.readers import json_document
from vljepa.errors import UserError


def read(job: Job) -> Found:
    """A sample for each exchange; ids are record and exchange.

    Raises:
        UserError: the file is no JSON array.
    """
    records = json_document(job.source)
    if not isinstance(records, list):
        raise UserError(f"{job.source}: holds {type(records).__name__}, not one JSON array; is it a file for plm?")
    root = below(job.out, job.media or job.source.parent, "llava")
    for i, record in enumerate(records):
        where = f"{job.source}: record {i}"
        if isinstance(record, dict):
            yield from exchanges(where, str(i), record, root)
        else:
            yield Unusable(where=where, reason="record: is no object")
        job.progress(i + 1, len(records))
