"""Which records there are: events, and the items of lists that tell the state behind them."""

from connector.events.selection import Selection
from tests.events.frames import SCHEMAS

HANGUP, CHANNEL = SCHEMAS.lookup("Hangup"), SCHEMAS.lookup("CoreShowChannel")


def test_items_of_lists_are_published_where_there_are_snapshots() -> None:
    chosen = Selection(SCHEMAS, ("Hangup",), snapshots=True)
    assert [each.action for each in chosen.lists] == ["CoreShowChannels"]
    assert chosen.listed == {CHANNEL}
    assert {HANGUP, CHANNEL, SCHEMAS.connector} == {*chosen.schemas}
    # A PBX's own event by that name is none of a list.
    assert CHANNEL not in chosen


def test_without_snapshots_there_are_none() -> None:
    chosen = Selection(SCHEMAS, ("Hangup",))
    assert not chosen.lists
    assert not chosen.listed
    assert {*chosen.schemas} == {HANGUP, SCHEMAS.connector}


def test_an_item_can_be_taken_away_and_its_list_still_be_asked() -> None:
    chosen = Selection(SCHEMAS, ("Hangup", "-CoreShowChannel"), snapshots=True)
    assert [each.action for each in chosen.lists] == ["CoreShowChannels"]
    assert not chosen.listed
    assert {*chosen.schemas} == {HANGUP, SCHEMAS.connector}
    again = Selection(SCHEMAS, ("Hangup", "-CoreShowChannel", "CoreShowChannel"), snapshots=True)
    assert again.listed == {CHANNEL}


def test_the_default_selection_has_every_list_and_schemas_for_all_items() -> None:
    chosen = Selection(SCHEMAS, snapshots=True)
    items = {item for each in chosen.lists for item in each.items}
    assert len(chosen.lists) == 12
    assert {schema.event for schema in chosen.listed} == items
