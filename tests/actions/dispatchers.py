"""A dispatcher with the real reader, serde, policy and catalogue around it, and requests to put on it."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from connector.actions.dispatch.claims import Memory
from connector.actions.dispatch.dispatcher import Dispatcher, Measures
from connector.actions.dispatch.job import Rules
from connector.actions.dispatch.lifecycle import Execute
from connector.actions.dispatch.limits import Gates, Limit
from connector.actions.dispatch.settlement import Settlement
from connector.actions.dispatch.turns import Bounds
from connector.actions.dispatch.unread import Unread
from connector.actions.pair import Pair
from connector.actions.policy.policy import Policy
from connector.actions.reading.reader import RequestReader, RequestRules
from connector.actions.record import Aborted, Committed, Incoming, Outgoing, Place, Settled
from connector.actions.request import Request
from connector.actions.writing.encoding import Registered
from connector.actions.writing.serde import Serde, SerdeRules
from connector.ami.action import AmiAction, variable
from connector.ami.completion import Answer
from connector.ami.message import AmiMessage, Kind
from connector.ami.reach import Reach, Result
from connector.edges.schemas import load_action_catalogue, load_action_schemas, load_schemas
from connector.facts import Fact
from connector.privacy.privacy import Privacy

NOW = 1_700_000_000_000
TTL_MS = 30_000
TIMEOUT_MS = 5_000
F = TypeVar("F", bound=Fact)

COMMITTED: Final = Committed()
PAIR = Pair("requests", "responses", "claims", "json")
AVRO = Pair("requests.avro", "responses.avro", "claims.avro")
LETTERS = "letters"
PBX = "pbx1"
OTHER = "pbx2"
PLACE = Place(PAIR.requests, 0)

BOUNDS = Bounds(16, 1 << 20)
MEMORY = Memory(3_600_000, 1_000)

CATALOGUE = load_action_catalogue()
SCHEMAS = load_action_schemas()
POLICY = Policy(CATALOGUE, "full")


def prepare(request: Request) -> AmiAction:
    variables = [("Variable", variable(name, value)) for name, value in request.variables]
    return AmiAction(request.action, (*request.headers, *variables))


NOTHING_COVERED = Privacy((), load_schemas())


def make_dispatcher(
    report: Callable[[Fact], None] = lambda _: None,
    *,
    served: Sequence[str] = (PBX, OTHER),
    only: str | None = None,
    in_flight: int = 8,
    limits: Sequence[Limit] = (),
    bounds: Bounds = BOUNDS,
    memory: Memory = MEMORY,
    policy: Policy = POLICY,
    privacy: Privacy = NOTHING_COVERED,
) -> Dispatcher:
    texts: dict[int, str] = {}
    pairs = (PAIR, AVRO)
    rules = RequestRules(pairs=pairs, reply_topics=("bad.*", "good.*"), ttl_ms=TTL_MS, timeout_ms=TIMEOUT_MS)
    registered = Registered({SCHEMAS.response.name: 1, SCHEMAS.claim.name: 2}, texts)
    written = SerdeRules(connector="ami-kafka", dead_letters=LETTERS, max_bytes=20_000)
    serdes = {pair.requests: Serde(pair, SCHEMAS, registered, CATALOGUE, written) for pair in pairs}
    return Dispatcher(
        Unread(RequestReader(rules, SCHEMAS.request), texts),
        Rules(served, only, CATALOGUE, policy, prepare, privacy),
        Settlement(serdes, "me"),
        Measures(bounds, memory, {pbx: Gates(in_flight, limits) for pbx in served}),
        report,
    )


def body(action: str = "Ping", request_id: str = "r1", **fields: Any) -> bytes:
    headers = fields.pop("headers", {})
    value = {"action": action, "request_id": request_id, "pbx": PBX, "headers": headers} | fields
    return json.dumps(value).encode()


def incoming(
    offset: int, value: bytes | None, key: bytes | None = b"k", place: Place = PLACE, at_ms: int = NOW
) -> Incoming:
    return Incoming(place, offset, at_ms, key, value)


def ping(offset: int, request_id: str = "r1", key: bytes | None = b"k", **fields: Any) -> Incoming:
    return incoming(offset, body("Ping", request_id, **fields), key)


def effect(offset: int, request_id: str = "r1", key: bytes | None = b"k", **fields: Any) -> Incoming:
    headers = {"UserEvent": "Done", "Id": request_id}
    return incoming(offset, body("UserEvent", request_id, **({"headers": headers} | fields)), key)


class Bench:
    """A dispatcher with one partition, whose transactions come through unless a test says otherwise."""

    def __init__(self, note: str = "", claims: Sequence[Incoming] = (), **options: Any) -> None:
        self.facts: list[Fact] = []
        self.now_ms = NOW
        self.dispatcher = make_dispatcher(self.facts.append, **options)
        self.dispatcher.assigned(PLACE, note)
        self.dispatcher.remember(PLACE, claims, self.now_ms)
        self.begun: list[Execute] = []
        self.offsets: dict[Place, int] = {}
        self.notes: dict[Place, str] = {}

    def ask(self, *records: Incoming) -> None:
        for record in records:
            self.dispatcher.requested(record, self.now_ms)
        self.begin()

    def begin(self) -> list[Execute]:
        begun = self.dispatcher.begin(self.now_ms)
        self.begun += begun
        return [*begun]

    def commit(self, settled: Settled = COMMITTED) -> list[Outgoing]:
        """Settle the next transaction; return its records."""
        work = self.dispatcher.work(self.now_ms)
        assert work is not None
        if settled is COMMITTED:
            self.offsets |= work.offsets
            self.notes |= work.notes
        self.dispatcher.settled(settled, self.now_ms)
        self.begin()
        return [*work.records]

    def refuse(self, topic: str) -> None:
        """Have Kafka refuse all records of the next transaction that are for a topic."""
        work = self.dispatcher.work(self.now_ms)
        assert work is not None
        refused = {at: "no" for at, each in enumerate(work.records) if each.topic == topic}
        assert refused
        self.dispatcher.settled(Aborted(refused, "refused"), self.now_ms)
        self.begin()

    def answer(self, result: Result, sent_ms: int = 0, took_ms: int = 0) -> None:
        """Write the first action that was begun, and hear its result."""
        execute = self.begun.pop(0)
        self.now_ms += sent_ms
        if result.reach is not Reach.NOT_SENT:
            assert self.dispatcher.may_send(execute.ticket, self.now_ms)
        self.now_ms += took_ms
        self.dispatcher.answered(execute.ticket, result, self.now_ms)
        self.begin()

    def pass_ms(self, step: int) -> None:
        self.now_ms += step
        self.dispatcher.tick(self.now_ms)
        self.begin()

    def of(self, kind: type[F]) -> list[F]:
        return [fact for fact in self.facts if isinstance(fact, kind)]


def responses(records: Sequence[Outgoing]) -> list[Mapping[str, Any]]:
    return [told(each) for each in records if each.topic == PAIR.responses]


def claims(records: Sequence[Outgoing]) -> list[Mapping[str, Any]]:
    return [told(each) for each in records if each.topic == PAIR.claims]


def as_history(records: Sequence[Outgoing]) -> list[Incoming]:
    """Give the claims of transactions as the next owner reads them."""
    kept = [each for each in records if each.topic == PAIR.claims]
    place = Place(PAIR.claims, PLACE.partition)
    return [Incoming(place, at, NOW, each.key, each.value) for at, each in enumerate(kept)]


def message(kind: Kind, *headers: tuple[str, str]) -> AmiMessage:
    first = "Response" if kind is Kind.RESPONSE else "Event"
    return AmiMessage(kind, ((first, headers[0][1]), ("ActionID", "ours-1"), *headers[1:]))


def answer(response: str = "Success", said: str = "Done", *events: AmiMessage) -> Result:
    whole = Answer(message(Kind.RESPONSE, ("", response), ("Message", said)), events)
    return Result(Reach.ANSWERED, whole)


def event(name: str, *headers: tuple[str, str]) -> AmiMessage:
    return message(Kind.EVENT, ("", name), *headers)


def told(record: Outgoing | Incoming) -> Mapping[str, Any]:
    """Read a response or a claim."""
    value: Mapping[str, Any] = json.loads(record.value or b"")
    return value


def header(record: Outgoing, name: str) -> str:
    return dict(record.headers)[name].decode()  # type: ignore[union-attr]
