"""WS /ws/{agent_id}: what an agent has to be told, numbered and acknowledged, and what it answers."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from lighthouse.bridge import lasting, problems
from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.elicitation import questions
from lighthouse.bridge.elicitation_schemas import QuestionId, QuestionReason
from lighthouse.bridge.lasting import GONE, Why
from lighthouse.bridge.problems import Rejected
from lighthouse.bridge.schemas import Word
from lighthouse.bridge.validation import validations
from lighthouse.bridge.validation_schemas import ValidationShown, shown
from lighthouse.elicitation import Action, Question
from lighthouse.errors import LighthouseError
from lighthouse.mailbox import Reader
from lighthouse.sessions import BadToken, NotAllowed, allows

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

# Shorter than the experts' time, so that a call does not wait for somebody who is not there any more.
HEARTBEAT_SECONDS = 8.0


class SocketQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`rooms`, with commas between, are those whose messages come; without it all do."""

    rooms: Annotated[str, msgspec.Meta(pattern=r"^[a-z]+(,[a-z]+)*$", max_length=200)] | None = None


class Acknowledge(msgspec.Struct, tag_field="type", tag="ack", forbid_unknown_fields=True):
    """The message with this number need not come again."""

    n: Annotated[int, msgspec.Meta(ge=1)]


class AnswerGiven(msgspec.Struct, tag_field="type", tag="answer", forbid_unknown_fields=True):
    """The same as POST /approve."""

    id: Word
    verdict: Literal["approve", "deny"]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class Respond(msgspec.Struct, tag_field="type", tag="respond", forbid_unknown_fields=True):
    """The same as POST /elicitation/respond."""

    id: QuestionId
    action: Action
    content: Any = msgspec.UNSET
    reason: QuestionReason = ""


Answering = AnswerGiven | Respond
Said = Acknowledge | Answering


class Message(msgspec.Struct):
    """To the agent, to be acknowledged."""

    type: str
    n: int
    data: Any


class Answered(msgspec.Struct, tag_field="type", tag="answered"):
    """The answer is on disk; `data` is the request as it is now."""

    id: str
    data: ValidationShown


class Responded(msgspec.Struct, tag_field="type", tag="responded"):
    """The answer is on disk; `data` is the question as it is now."""

    id: str
    data: Question


Reply = Answered | Responded


class Failed(msgspec.Struct, tag_field="type", tag="error", omit_defaults=True):
    """A message was turned down, for a reason that HTTP has a status for; `id` is that of an answer."""

    status: int
    detail: str
    id: str | None = None


async def connect(bridge: "Bridge", call: Call) -> web.StreamResponse:
    """Open a socket of the caller's own; it lasts as long as its token and the bridge."""
    agent_id = call.request.match_info["agent_id"]
    if agent_id != call.caller.agent_id:
        reason = "the socket is another agent's"
        bridge.audit.rejected(403, reason, "/ws/{agent_id}", call.peer, call.caller.agent_id)
        raise NotAllowed(reason, "open the one of the token's own agent")
    websocket = lasting.websocket(HEARTBEAT_SECONDS)
    if not websocket.can_prepare(call.request).ok:
        raise Rejected(426, "messages come over a WebSocket", "open one", {"Upgrade": "websocket"})
    asked: SocketQuery = call.query
    reader = bridge.mail.open(agent_id, frozenset(asked.rooms.split(",") if asked.rooms else ()))
    try:
        await websocket.prepare(call.request)
        socket = _Socket(bridge, call, websocket, reader)
        why = await lasting.first_end(socket.deliver(), socket.listen(), lasting.guard(bridge, call))
    finally:
        bridge.mail.close(agent_id, reader)
    await lasting.close(websocket, call.request, why)
    return websocket


class _Socket:
    """One open connection, both ways."""

    def __init__(
        self, bridge: "Bridge", call: Call, websocket: web.WebSocketResponse, reader: Reader
    ) -> None:
        self._bridge = bridge
        self._call = call
        self._websocket = websocket
        self._reader = reader

    async def deliver(self) -> Why:
        """Send what is to be told, as fast as it is acknowledged."""
        while True:
            number, letter = await self._reader.next()
            if (why := await self._send(Message(letter.kind, number, letter.read()))) is not None:
                return why

    async def listen(self) -> Why:
        """Take what the agent says, one message after the other and not faster than its requests."""
        caller = self._call.caller
        async for message in lasting.said(self._bridge, self._call, self._websocket):
            try:
                self._bridge.sessions.check(caller)
            except BadToken as error:
                return Why(WSCloseCode.POLICY_VIOLATION, str(error))
            reply = await self._reply(message.data if message.type is WSMsgType.TEXT else "")
            if reply is not None and (why := await self._send(reply)) is not None:
                return why
        return GONE

    async def _reply(self, text: str) -> Reply | Failed | None:
        answer_id: str | None = None
        try:
            said = _decode(text)
            if isinstance(said, Acknowledge):
                if self._reader.acknowledge(said.n):
                    return None
                raise Rejected(422, f"no message {said.n} was sent here", "acknowledge those that came")
            answer_id = said.id
            return await self._take(said)
        except LighthouseError as error:
            status = problems.status_of(error)
            if status is None:
                raise
            if status == 403:
                peer, agent_id = self._call.peer, self._call.caller.agent_id
                self._bridge.audit.rejected(403, error.message, "/ws/{agent_id}", peer, agent_id)
            return Failed(status, str(error), answer_id)

    async def _take(self, said: Answering) -> Reply:
        caller = self._call.caller
        if isinstance(said, Respond):
            if not allows(caller.role, "elicitation.write"):
                raise NotAllowed(f"the role {caller.role.value} answers no questions", "use a token that may")
            room = questions(self._bridge)
            answered = await room.answer(said.id, caller.agent_id, said.action, said.content, said.reason)
            return Responded(said.id, answered)
        asked = await validations(self._bridge).answer(said.id, caller, said.verdict, said.reason)
        return Answered(said.id, shown(asked))

    async def _send(self, message: Message | Reply | Failed) -> Why | None:
        return await lasting.sent(self._websocket.send_str(msgspec.json.encode(message).decode()))


def _decode(text: str) -> Said:
    try:
        said: Said = msgspec.json.decode(text, type=Said)
    except msgspec.ValidationError as error:
        raise Rejected(422, f"the message has the wrong shape ({error})", "see docs/experts.md") from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Rejected(400, f"the message is not JSON ({error})", "send one JSON object") from error
    return said


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/ws/{agent_id}",
        "socket",
        "An agent's own socket: what it has to be told, each message numbered and to be acknowledged",
        connect,
        {101: Answer("A WebSocket with one JSON message per text frame, both ways", media_type="")},
        permission="events.read",
        query=SocketQuery,
        errors=(426,),
        path_parameters={"agent_id": "the token's own agent"},
    ),
)
