"""The people of the simulated PBX: who has a phone, who serves the queue, who waits in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from connector.demo.channels import Channel, Event, Exchange, Phone

QUEUE: Final = "support"

_OWNERS: Final = (
    "Ada Lovelace",
    "Zoë Müller",
    "Liam O'Brien",
    "Mei Chen",
    "Jürgen Groß",
    "Amara Okafor",
    "Søren Kjær",
    "Inês Duarte",
    "Noor Haddad",
    "Żaneta Żółw",
    "Marek Novák",
    "Priya Nair",
    "Tom Baker",
    "Elif Şahin",
    "Hana Sato",
    "Carlos Núñez",
)

PHONES: Final = tuple(Phone(str(number), owner) for number, owner in enumerate(_OWNERS, 1001))


@dataclass(slots=True)
class Member:
    """An agent of the queue, and what the queue counts of him."""

    phone: Phone
    calls_taken: int = 0
    last_call: int = 0
    in_call: int = 0
    status: int = 1
    paused: bool = False
    reason: str = ""
    last_pause: int = 0

    @property
    def lines(self) -> tuple[str, ...]:
        """Return how the events of calls name him."""
        return f"Queue: {QUEUE}", f"Interface: PJSIP/{self.phone.number}", f"MemberName: {self.phone.owner}"

    def news(self, status: int, now: float) -> Event:
        """Return the event of his new device state: 1 not in use, 2 in use, 6 ringing."""
        self.status = status
        return Event("QueueMemberStatus", "agent", self._state(now))

    def pause(self, reason: str, now: float, *, paused: bool = True) -> Event:
        """Begin or end a break, and return its event."""
        if paused:
            self.last_pause = int(now)
        self.paused, self.reason = paused, reason
        return Event("QueueMemberPause", "agent", self._state(now))

    def _state(self, now: float) -> tuple[str, ...]:
        interface = f"PJSIP/{self.phone.number}"
        return (
            f"Queue: {QUEUE}",
            f"MemberName: {self.phone.owner}",
            f"Interface: {interface}",
            f"StateInterface: {interface}",
            "Membership: static",
            "Penalty: 0",
            f"CallsTaken: {self.calls_taken}",
            f"LastCall: {self.last_call}",
            f"LastPause: {self.last_pause}",
            f"LoginTime: {int(now) // 86400 * 86400}",
            f"InCall: {self.in_call}",
            f"Status: {self.status}",
            f"Paused: {int(self.paused)}",
            f"PausedReason: {self.reason}",
            "Ringinuse: 0",
            "Wrapuptime: 0",
        )


@dataclass(slots=True)
class World:
    """What the stories share: the PBX, chance, the queue's callers and agents."""

    exchange: Exchange
    chance: Random
    waiting: list[Channel] = field(default_factory=list)
    agents: Sequence[Member] = field(default_factory=lambda: [Member(phone) for phone in PHONES[-4:]])
    served: int = 0
    given_up: int = 0

    def two(self) -> tuple[Phone, Phone]:
        """Pick a caller and whom he calls."""
        caller, callee = self.chance.sample(PHONES[:-4], 2)
        return caller, callee

    def some(self, least: float, most: float) -> float:
        """Return how long something takes, in seconds."""
        return self.chance.uniform(least, most)

    def idle_agent(self) -> Member:
        """Pick the agent who has waited longest for a call."""
        return min(self.agents, key=lambda member: (member.paused, member.in_call, member.last_call))

    def has_served(self, agent: Member) -> None:
        """Count a call that an agent has ended."""
        self.served += 1
        agent.calls_taken += 1
        agent.in_call -= 1
        agent.last_call = int(self.exchange.now)
