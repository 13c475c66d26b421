"""The parts of a running server, as its routes see them."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from vljepa.api import Model
from vljepa.serve.engine import Engine
from vljepa.serve.intake import Intake
from vljepa.serve.settings import ServeConfig
from vljepa.serve.shelf import Shelf
from vljepa.serve.streams import Streams
from vljepa.serve.worker import ModelWorker


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything that outlives a request."""

    config: ServeConfig
    engine: Engine
    worker: ModelWorker
    intake: Intake
    shelf: Shelf
    streams: Streams

    @classmethod
    def open(cls, config: ServeConfig, model: Model, name: str) -> "Services":
        """Start the threads and processes.

        Raises:
            UserError: the data folder holds something that cannot be read.
        """
        engine = Engine(model, name)
        seen = model.network.config.x_encoder
        intake = Intake(config, seen.num_frames, seen.frame_size)
        worker = ModelWorker(config.max_waiting, config.time_limit)
        shelf = Shelf(config.data, engine, worker)
        streams = Streams(config, engine, worker, shelf, intake)
        return cls(config=config, engine=engine, worker=worker, intake=intake, shelf=shelf, streams=streams)

    def close(self) -> None:
        """Close open events, then end the threads and processes."""
        self.streams.close()
        self.shelf.close()
        self.worker.close()
        self.intake.close()


def _services(connection: HTTPConnection) -> Services:
    services: Services = connection.app.state.services
    return services


Parts = Annotated[Services, Depends(_services)]
