"""What the demo asks of its PBX."""

from connector.demo.requester import CONTEXT, Requester, Wish


def asked(count: int = 300, seed: int = 1) -> list[Wish]:
    requester = Requester(seed)
    return [requester.next() for _ in range(count)]


def test_the_same_seed_asks_the_same() -> None:
    assert asked(seed=7) == asked(seed=7)
    assert asked(seed=7) != asked(seed=8)


def test_all_kinds_are_asked() -> None:
    assert {wish.action for wish in asked()} == {
        "Ping", "CoreShowChannels", "QueueStatus", "Originate", "QueuePause", "Command",
    }  # fmt: skip


def test_most_calls_go_where_they_may_and_some_do_not() -> None:
    contexts = [dict(wish.headers)["Context"] for wish in asked() if wish.action == "Originate"]
    assert 0 < sum(context != CONTEXT for context in contexts) < len(contexts) / 3


def test_who_has_a_break_comes_back_before_the_next_has_one() -> None:
    breaks = [dict(wish.headers) for wish in asked() if wish.action == "QueuePause"]
    for begun, ended in zip(breaks[::2], breaks[1::2], strict=False):
        assert (begun["Paused"], ended["Paused"]) == ("true", "false")
        assert begun["Interface"] == ended["Interface"]
