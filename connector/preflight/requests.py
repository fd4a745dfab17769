"""Checks of the road back that ask no PBX: its topics in Kafka, its rules, what the policy lets through."""

from collections.abc import Iterator, Mapping, Sequence

from connector.actions.policy.policy import Policy
from connector.actions.policy.rules import globs
from connector.ami.catalogue import ActionCatalogue
from connector.preflight import Finding, State
from connector.settings import road_back
from connector.settings.fields import near
from connector.settings.sections import Settings
from connector.settings.topics import Present, Topic, uneven


def claims(settings: Settings, planned: Sequence[Topic], present: Mapping[str, Present]) -> list[Finding]:
    """Say whether claims are where their requests are, stay as long, and only the last of each."""
    if settings.actions is None:
        return []
    lines = [*uneven(planned, present), *_kept(settings, present)]
    remedy = "a repeat would not be known, and an action run twice"
    found = [Finding("claims", State.FAILED, line, remedy, fatal=True) for line in lines]
    return found or [Finding("claims", State.OK, "in as many partitions as requests, and kept as long")]


def _kept(settings: Settings, present: Mapping[str, Present]) -> Iterator[str]:
    """Compare what the topics really have; options that Kafka does not tell are not doubted."""
    for pair in road_back.pairs(settings):
        config = present[pair.claims].config if pair.claims in present else {}
        cleanup = config.get("cleanup.policy")
        if cleanup is not None and road_back.policies(cleanup) != road_back.COMPACTED:
            yield f"{pair.claims}: cleanup.policy is {cleanup}, it must be compact,delete"
        requests = present[pair.requests].config.get("retention.ms") if pair.requests in present else None
        kept = config.get("retention.ms")
        if requests is not None and kept is not None:
            needed = road_back.needed_ms(settings, int(requests))
            if int(kept) >= 0 and (needed < 0 or int(kept) <= needed):
                yield f"{pair.claims}: retention.ms is {kept}, requests are kept {requests} and may run after"


def rules(settings: Settings, catalogue: ActionCatalogue) -> list[Finding]:
    """Name what rules speak of that is nowhere: a rule that denies would deny nothing."""
    known = {facts.name.lower(): facts.name for facts in catalogue}
    topics = [pair.requests for pair in road_back.pairs(settings)]
    seen = []
    for place, rule in enumerate(road_back.actions(settings).rules):
        where = f"actions.rules[{place}]"
        seen += [
            f"{where}.actions: {name!r} is in no catalogue{near(name, known.values())}"
            for name in rule.actions
            if not set(name) & set("*?[") and name.lower() not in known
        ]
        for key, patterns, names in (("pbx", rule.pbx, [*settings.pbx]), ("topics", rule.topics, topics)):
            if not any(map(globs(patterns).fullmatch, names)):
                seen.append(f"{where}.{key}: none of {', '.join(names)} is meant by it")
    return [
        Finding("rules", State.WARNING, each, "mend the rule, if that is not what you want") for each in seen
    ]


def reach(policy: Policy, settings: Settings, catalogue: ActionCatalogue) -> list[Finding]:
    """Say what the policy lets through at all, by PBX."""
    profile = road_back.actions(settings).policy.profile
    findings = []
    for name in settings.pbx:
        possible = policy.possible(name)
        effects = [each for each in possible if not (facts := catalogue.get(each)) or facts.effect]
        seen = f"profile {profile}: {len(possible)} actions may pass, {len(effects)} of them change something"
        findings.append(Finding(f"{name} policy", State.OK, seen))
        if profile == "call-control" and "Originate" not in possible:
            remedy = "name them in actions.policy or in a rule: channels, contexts, applications"
            what = "no channel that may be dialled is named, so nothing can be originated"
            findings.append(Finding(f"{name} policy", State.WARNING, what, remedy))
    return findings
