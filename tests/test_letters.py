"""Which dead letters the present settings make records of."""

import asyncio

import pytest

from connector.app.letters import Fit, Letter, Review, letter_of
from connector.app.local import LocalIds
from connector.avro.schema import SchemaSet
from connector.edges.kafka.reader import Record
from connector.edges.schemas import load_schemas
from connector.events.entry import Entry, Origin
from connector.events.records.letters import Unfit
from connector.events.selection import Selection
from connector.settings.kinds import Address, Secret
from connector.settings.sections import Events, Kafka, Pbx, Settings
from tests.events.frames import NOW, event, intake, item, snapshot, translator

HANGUP = event("Hangup", snapshot("1.2", "1.1"), "Cause: 16", "Cause-txt: Normal Clearing")
CHANNEL = item(
    "CoreShowChannel",
    snapshot("1.2", "1.1"),
    "BridgeID: ",
    "Application: ",
    "ApplicationData: ",
    "Duration: 1",
)


@pytest.fixture(scope="module")
def schemas() -> SchemaSet:
    return load_schemas()


def judged(
    entry: Entry, schemas: SchemaSet, *terms: str, snapshots: bool = True, form: str = "json"
) -> Fit | Unfit:
    pbx = Pbx(address=(Address("h"),), username="u", secret=Secret("s"))
    chosen = Settings(
        pbx={"pbx1": pbx},
        kafka=Kafka(bootstrap_servers=("k",)),
        events=Events(select=terms, format=form),  # type: ignore[arg-type]
    )
    review = Review(chosen, schemas, Selection(schemas, terms, snapshots=snapshots), LocalIds())
    return asyncio.run(review.judge(refused(entry)))


def refused(entry: Entry) -> Letter:
    made = translator().refused(entry, "why").publish
    return letter_of(Record(made.topic, 2, 7, made.key, made.value, made.headers, made.timestamp_ms))


def own() -> Entry:
    return intake().tell("snapshot_begin", NOW, SnapshotId="pbx1/3/1")


def heard() -> Entry:
    return intake().frames([HANGUP], NOW)[0]


def listed() -> Entry:
    _, entries = intake().item(CHANNEL, NOW, "pbx1/3/1")
    return next(each for each in entries if each.origin is Origin.SNAPSHOT)


@pytest.mark.parametrize("form", ["json", "avro"])
def test_an_event_that_is_published(schemas: SchemaSet, form: str) -> None:
    found = judged(heard(), schemas, "Hangup", form=form)
    assert isinstance(found, Fit)
    assert (found.letter.place, found.letter.event, found.letter.pbx) == ("2/7", "Hangup", "pbx1")
    assert (found.publish.topic, found.publish.key) == ("asterisk.events.hangup", b"pbx1|1.1")


def test_an_event_that_is_not(schemas: SchemaSet) -> None:
    assert judged(heard(), schemas, "Newchannel") == Unfit("the settings do not publish this event")


def test_the_connectors_own_are_always(schemas: SchemaSet) -> None:
    found = judged(own(), schemas, "Newchannel")
    assert isinstance(found, Fit)
    assert found.publish.topic == "asterisk.connector"


def test_items_of_lists_are_where_lists_are_asked(schemas: SchemaSet) -> None:
    found = judged(listed(), schemas, "Hangup")
    assert isinstance(found, Fit)
    assert found.publish.topic == "asterisk.events.core-show-channel"
    assert isinstance(judged(listed(), schemas, "Hangup", snapshots=False), Unfit)
