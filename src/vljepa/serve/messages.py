"""What a client may send on the WebSocket of a stream."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from vljepa.serve.schemas import Question, Texts


class AskMessage(Question):
    """From a looker-on; the answer comes as a record to all."""

    type: Literal["ask"]


class LabelsMessage(BaseModel):
    """The labels from now on."""

    type: Literal["labels"]
    labels: Texts


class ThresholdMessage(BaseModel):
    """The threshold from now on."""

    type: Literal["threshold"]
    threshold: float = Field(gt=0, le=1)


class StopMessage(BaseModel):
    """End the stream."""

    type: Literal["stop"]


Message = Annotated[AskMessage | LabelsMessage | ThresholdMessage | StopMessage, Field(discriminator="type")]
