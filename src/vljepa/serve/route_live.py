"""The WebSocket of a stream: what happens goes out as it happens, wishes come in."""

import asyncio
import json
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect
from pydantic import TypeAdapter, ValidationError

from vljepa.data.decoders import Undecodable
from vljepa.errors import UserError
from vljepa.serve.errors import Refused
from vljepa.serve.log import Record, StreamLog
from vljepa.serve.messages import AskMessage, LabelsMessage, Message, StopMessage, ThresholdMessage
from vljepa.serve.services import Parts, Services
from vljepa.serve.session import Session, View
from vljepa.serve.worker import Busy

router = APIRouter(prefix="/v1/streams")

_PAUSE = 0.05
"""Seconds between two messages to one client: what came in between goes together."""
_QUESTIONS = 4
"""Of one client that may wait."""
_MESSAGE: TypeAdapter[Message] = TypeAdapter(Message)


@router.websocket("/{id}/live")
async def live(
    socket: WebSocket,
    parts: Parts,
    id: str,
    after: Annotated[int, Query(ge=0)] = 0,
    frames: bool = False,
) -> None:
    """
    Args:
        after: records the client has already, as on a reconnect.
        frames: also send what the model sees, as JPEG in binary messages.
    """
    await socket.accept()
    try:
        log = parts.streams.log(id)
    except Refused as error:
        await socket.send_json({"type": "error", "message": str(error), "param": "id"})
        await socket.close(1008)
        return
    sending = asyncio.create_task(_Sender(socket, parts, log, frames).send(after))
    hearing = asyncio.create_task(_Hearer(socket, parts, log).hear())
    try:
        done, _ = await asyncio.wait((sending, hearing), return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            broken = task.exception()
            # Clients leave in the middle of anything.
            if broken is not None and not isinstance(broken, WebSocketDisconnect | RuntimeError):
                raise broken
    finally:
        sending.cancel()
        hearing.cancel()


class _Sender:
    """Sends whatever is new since the last message went out: a slow client gets fewer instants, and every record."""

    def __init__(self, socket: WebSocket, parts: Services, log: StreamLog, frames: bool) -> None:
        self._socket = socket
        self._parts = parts
        self._log = log
        self._frames = frames

    async def send(self, after: int) -> None:
        """Goes on until the client leaves."""
        session = self._parts.streams.session(self._log.about["id"])
        if session is None:
            await self._send_stream()
            drift = await asyncio.to_thread(self._log.drift)
            await self._send({"type": "drift", "first": 0, "instants": _rounded(drift.tolist())})
            for record in (await asyncio.to_thread(self._log.records))[after:]:
                await self._send(record)
        else:
            loop, changed = asyncio.get_running_loop(), asyncio.Event()

            def tell() -> None:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(changed.set)

            session.subscribe(tell)
            try:
                await self._follow(session, changed, after)
            finally:
                session.unsubscribe(tell)
        await self._send({"type": "up_to_date"})
        await asyncio.Future()

    async def _follow(self, session: Session, changed: asyncio.Event, records: int) -> None:
        await self._send_stream()
        instants = 0
        while True:
            changed.clear()
            view = await asyncio.to_thread(session.since, records, instants, with_frame=self._frames)
            await self._send_view(view)
            records += len(view.records)
            instants = view.first_instant + len(view.drift)
            if view.state != "running":
                await self._send_stream()
                return
            await changed.wait()
            await asyncio.sleep(_PAUSE)

    async def _send_view(self, view: View) -> None:
        for record in view.records:
            await self._send(record)
        if view.drift:
            await self._send({"type": "drift", "first": view.first_instant, "instants": _rounded(view.drift)})
            await self._send({"type": "counters", **view.counters})
            await self._send({"type": "scores", "scores": [asdict(score) for score in view.scores]})
            if view.jpeg:
                await self._socket.send_bytes(view.jpeg)

    async def _send_stream(self) -> None:
        told = await asyncio.to_thread(self._parts.streams.describe, self._log)
        await self._send({"type": "stream", **told})

    async def _send(self, message: Record) -> None:
        await self._socket.send_json(message)


class _Hearer:
    """Does what a client asks for; a mistake is told to that client alone."""

    def __init__(self, socket: WebSocket, parts: Services, log: StreamLog) -> None:
        self._socket = socket
        self._parts = parts
        self._log = log
        self._asking: set[asyncio.Task[None]] = set()

    async def hear(self) -> None:
        """Goes on until the client leaves."""
        while True:
            text = await self._socket.receive_text()
            try:
                message = _MESSAGE.validate_python(json.loads(text))
            except ValidationError as error:
                first: Any = error.errors()[0]
                place = ".".join(map(str, first["loc"]))
                await self._refuse(f"{place}: {first['msg']}" if place else first["msg"], None)
            except (ValueError, RecursionError):
                await self._refuse("the message is no JSON", None)
            else:
                if isinstance(message, AskMessage):
                    await self._begin_answer(message)
                else:
                    await self._obey(message)

    async def _obey(self, message: LabelsMessage | ThresholdMessage | StopMessage) -> None:
        session = self._parts.streams.session(self._log.about["id"])
        if session is None:
            await self._refuse("the stream has ended", message.type)
            return
        try:
            if isinstance(message, LabelsMessage):
                await asyncio.to_thread(session.set_labels, message.labels)
            elif isinstance(message, ThresholdMessage):
                session.set_threshold(message.threshold)
            else:
                await asyncio.to_thread(session.stop)
        except UserError as error:
            await self._refuse(str(error), message.type)

    async def _begin_answer(self, message: AskMessage) -> None:
        if len(self._asking) >= _QUESTIONS:
            await self._refuse("wait for the answers to the questions before", "ask")
            return
        task = asyncio.create_task(self._answer(message))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _answer(self, message: AskMessage) -> None:
        streams = self._parts.streams
        running = streams.session(self._log.about["id"]) is not None
        try:
            answer = await asyncio.to_thread(streams.ask, self._log, message.question, message.choices, message.time)
            # Of a stream that runs everybody hears it as a record.
            if not running:
                await self._socket.send_json(answer)
        except (UserError, Undecodable) as error:
            await self._refuse(str(error), "ask")
        except (Busy, TimeoutError):
            await self._refuse("too many questions wait; ask again in a moment", "ask")

    async def _refuse(self, message: str, about: str | None) -> None:
        await self._socket.send_json({"type": "error", "message": " ".join(message.split()), "about": about})


def _rounded(rows: list[Any]) -> list[list[float]]:
    return [[round(value, 4) for value in row] for row in rows]
