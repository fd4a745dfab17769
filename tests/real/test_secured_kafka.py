"""Both roads on a Kafka that lets nobody do anything: with the printed ACLs they run, without one of them they say which."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from connector.app.parts import inspect_ends, open_admin, read_schemas
from connector.edges.telemetry import Telemetry
from connector.preflight import Finding, State
from connector.settings.load import load
from tests.parts import doors
from tests.parts.asterisk import Pbx
from tests.parts.certificates import Authority
from tests.parts.kafka import Kafka
from tests.parts.processes import free_port
from tests.real import guarded, reading
from tests.real.asking import Inbox, ask
from tests.real.bridge import Tables, bridge, command, fresh, pbx_table, toml
from tests.real.guarded import Acl
from tests.real.story import mark

DEADLINE_S = 30.0
NOBODY = {"username": "u", "secret": "s", "address": ["127.0.0.1:1"]}


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Give an authority that the cluster does not know."""
    return Authority(tmp_path_factory.mktemp("strange"), "strange")


def written(folder: Path, settings: Tables) -> Path:
    config = folder / "settings.toml"
    config.write_text(toml(settings))
    return config


@pytest.mark.parametrize("way", ["scram", "certificate"])
def test_with_the_printed_acls_both_roads_run(
    way: str, guarded_kafka: Kafka, asterisk22: Pbx, tmp_path: Path
) -> None:
    prefix = fresh("guarded")
    if way == "scram":
        guarded.enrol(guarded_kafka, prefix)
        options, words = guarded.by_scram(guarded_kafka, prefix), []
    else:
        options, words = guarded.by_certificate(guarded_kafka), ["--principal", "User:CN=client"]
    settings = guarded.tables(guarded_kafka, prefix, options)
    settings["pbx.main"] = pbx_table(
        asterisk22.host, asterisk22.port, asterisk22.username, asterisk22.secret, timezone="UTC"
    )
    config = written(tmp_path, settings)
    refused = command("run", "--config", str(config))
    assert refused.returncode == 1, refused.stderr
    assert "--print-acls" in refused.stderr
    guarded.allow(guarded_kafka, guarded.printed(config, *words))
    check = command("check", "--config", str(config))
    assert check.returncode == 0, check.stdout
    with bridge(tmp_path, settings) as running:
        running.expect("LinkUp", pbx="main")
        running.expect("ClaimsRead")
        mark(asterisk22, "Guarded")
        ask(
            guarded_kafka.bootstrap,
            f"{prefix}.actions.json",
            {"one": {"action": "Ping", "request_id": "one"}},
        )
        inbox = Inbox(guarded_kafka.bootstrap, f"{prefix}.responses.json", 1)
        try:
            assert inbox.expect(["one"])["one"][0]["status"] == "SUCCESS"
        finally:
            inbox.close()
        reading.expect(guarded_kafka.bootstrap, prefix, b"Guarded")
        assert running.stop() == 0, running.text()
        assert not [line for line in running.text().splitlines() if '"level": "error"' in line]


def test_the_printed_commands_are_kafkas_own(
    guarded_kafka: Kafka, acl_tool: Callable[[str, Path], CompletedProcess[str]], tmp_path: Path
) -> None:
    prefix, who = fresh("printed"), f"User:CN=it is,O={fresh('somebody')}"
    settings = guarded.tables(guarded_kafka, prefix, guarded.by_certificate(guarded_kafka))
    # Who grants comes by the way of super users.
    settings["kafka"] = {"bootstrap_servers": [guarded_kafka.bootstrap]}
    settings["actions"]["reply_topics"] = ["billing.replies", "crm.*"]
    config = written(tmp_path, {**settings, "pbx.main": NOBODY})
    (tmp_path / "admin.properties").write_text("")
    text = command("check", "--print-acls", "--principal", who, "--config", str(config)).stdout
    done = acl_tool(text, tmp_path)
    assert done.returncode == 0, done.stderr
    wanted = {guarded.terms(acl) for acl in guarded.printed(config)}
    assert guarded.granted(guarded_kafka, who) == wanted


def findings(config: Path) -> Callable[[], Awaitable[list[Finding]]]:
    """Return what `check` and `run` ask of Kafka."""

    settings = load(config.read_text(), {}, lambda _: "")

    async def ask_kafka() -> list[Finding]:
        admin = open_admin(settings, Telemetry())
        return await inspect_ends(settings, read_schemas(settings)[1].schemas, admin)

    return ask_kafka


async def told(ask_kafka: Callable[[], Awaitable[list[Finding]]], *words: str) -> None:
    """Wait until a finding has all these words, or, without words, until none is left; brokers take their time."""
    found: list[Finding] = []
    try:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                found = await ask_kafka()
                wrong = [each for each in found if each.state in (State.FAILED, State.WARNING)]
                if any(all(word in str(each) for word in words) for each in wrong) if words else not wrong:
                    return
    except TimeoutError:
        pytest.fail(f"{words}: {[*map(str, found)]}")


def named(acl: Acl) -> tuple[str, str]:
    """Return what must be told where this is lacking: the right, and what it is on."""
    if acl["operation"] == "CREATE":
        return "ami-kafka check --print-acls", acl["resource_name"]
    return f"no right {acl['operation'].title().replace('_', '')} on", acl["resource_name"]


def test_each_printed_acl_is_needed_and_named_where_it_is_missing(
    guarded_kafka: Kafka, tmp_path: Path
) -> None:
    prefix = fresh("needed")
    guarded.enrol(guarded_kafka, prefix)
    settings = guarded.tables(guarded_kafka, prefix, guarded.by_scram(guarded_kafka, prefix))
    settings["actions"]["reply_topics"] = [f"{prefix}.replies"]
    config = written(tmp_path, {**settings, "pbx.main": NOBODY})
    acls = guarded.printed(config)
    assert {acl["resource_type"] for acl in acls} == {"TOPIC", "GROUP", "TRANSACTIONAL_ID"}
    guarded.allow(guarded_kafka, acls)
    ask_kafka = findings(config)

    async def without(chosen: list[Acl]) -> None:
        for acl in chosen:
            await asyncio.to_thread(guarded.forbid, guarded_kafka, [acl])
            await told(ask_kafka, *named(acl))
            await asyncio.to_thread(guarded.allow, guarded_kafka, [acl])
            await told(ask_kafka)

    # The right to make topics shows where they are missing, the others where they are.
    asyncio.run(without([acl for acl in acls if acl["operation"] == "CREATE"]))
    applied = command("topics", "apply", "--config", str(config))
    assert applied.returncode == 0, applied.stderr
    asyncio.run(without([acl for acl in acls if acl["operation"] != "CREATE"]))


def test_run_names_a_right_that_shows_only_once_its_topic_is_made(
    guarded_kafka: Kafka, tmp_path: Path
) -> None:
    prefix = fresh("later")
    guarded.enrol(guarded_kafka, prefix)
    settings = guarded.tables(guarded_kafka, prefix, guarded.by_scram(guarded_kafka, prefix))
    config = written(tmp_path, {**settings, "pbx.main": NOBODY})
    claims = f"{prefix}.claims.json"
    acls = guarded.printed(config)
    guarded.allow(
        guarded_kafka, [acl for acl in acls if (acl["resource_name"], acl["operation"]) != (claims, "WRITE")]
    )
    done = command("run", "--config", str(config))
    assert done.returncode == 1, done.stderr
    assert f"no right Write on {claims}" in done.stderr


Spoil = Callable[[Kafka, Authority, dict[str, str]], str]


def _password(_: Kafka, __: Authority, options: dict[str, str]) -> str:
    options["sasl.password"] = "not-hunter2"
    return doors.SECURE


def _authority(_: Kafka, strange: Authority, options: dict[str, str]) -> str:
    options["ssl.ca.location"] = str(strange.certificate)
    return doors.SECURE


def _no_authority(_: Kafka, __: Authority, options: dict[str, str]) -> str:
    del options["ssl.ca.location"]
    return doors.SECURE


def _mechanism(_: Kafka, __: Authority, options: dict[str, str]) -> str:
    options["sasl.mechanism"] = "SCRAM-SHA-256"
    return doors.SECURE


def _no_tls(_: Kafka, __: Authority, options: dict[str, str]) -> str:
    options["security.protocol"] = "SASL_PLAINTEXT"
    return doors.SECURE


def _no_login(_: Kafka, __: Authority, options: dict[str, str]) -> str:
    options["security.protocol"] = "SSL"
    return doors.SECURE


def _no_certificate(_: Kafka, __: Authority, options: dict[str, str]) -> str:
    options["security.protocol"] = "SSL"
    return doors.MUTUAL


def _strange_certificate(_: Kafka, strange: Authority, options: dict[str, str]) -> str:
    pair = strange.issue("client")
    options |= {"ssl.certificate.location": str(pair.certificate), "ssl.key.location": str(pair.key)}
    options["security.protocol"] = "SSL"
    return doors.MUTUAL


def _old_certificate(cluster: Kafka, __: Authority, options: dict[str, str]) -> str:
    assert cluster.doors is not None
    pair = cluster.doors.authority.issue("ended", days=-1)
    options |= {"ssl.certificate.location": str(pair.certificate), "ssl.key.location": str(pair.key)}
    options["security.protocol"] = "SSL"
    return doors.MUTUAL


FAULTS: dict[str, tuple[Spoil | str, tuple[str, ...]]] = {
    "wrong password": (_password, ("Authentication failed", "sasl.password")),
    "wrong mechanism": (_mechanism, ("SCRAM-SHA-256", "set sasl.mechanism")),
    "wrong authority": (_authority, ("certificate is not trusted", "set ssl.ca.location")),
    "no authority": (_no_authority, ("certificate is not trusted", "set ssl.ca.location")),
    "expired": (doors.EXPIRED, ("certificate has expired", "renew it")),
    "wrong host": (doors.ELSEWHERE, ("not valid for '127.0.0.1'", "kafka.bootstrap_servers")),
    "no TLS": (_no_tls, ("the broker speaks TLS there", "security.protocol")),
    "no login": (_no_login, ("security.protocol to SASL_SSL",)),
    "no certificate of ours": (_no_certificate, ("ssl.certificate.location",)),
    "an expired certificate of ours": (_old_certificate, ("ssl.certificate.location", "its dates")),
    "a stranger's certificate": (_strange_certificate, ("ssl.certificate.location",)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_keeps_us_out_is_named(
    fault: str, guarded_kafka: Kafka, strange: Authority, tmp_path: Path
) -> None:
    spoil, words = FAULTS[fault]
    guarded.enrol(guarded_kafka, "spoilt")
    options = guarded.by_scram(guarded_kafka, "spoilt")
    door = spoil if isinstance(spoil, str) else spoil(guarded_kafka, strange, options)
    settings = guarded.tables(guarded_kafka, fresh("spoilt"), options)
    settings["kafka"] = {"bootstrap_servers": [guarded_kafka.behind(door)], "reach_timeout_s": 2}
    config = written(tmp_path, {**settings, "pbx.main": NOBODY})
    run, check = command("run", "--config", str(config)), command("check", "--config", str(config))
    assert (run.returncode, check.returncode) == (1, 1), run.stderr + check.stderr
    for word in words:
        assert word in run.stderr
        assert word in check.stdout
    assert_silent(run, check)


def test_tls_where_nobody_speaks_it(guarded_kafka: Kafka, tmp_path: Path) -> None:
    settings = guarded.tables(guarded_kafka, fresh("plain"), guarded.by_scram(guarded_kafka, "spoilt"))
    settings["kafka"] = {"bootstrap_servers": [guarded_kafka.bootstrap], "reach_timeout_s": 2}
    config = written(tmp_path, {**settings, "pbx.main": NOBODY})
    run = command("run", "--config", str(config))
    assert run.returncode == 1
    assert "the broker speaks no TLS there: mend security.protocol" in run.stderr
    settings["kafka"] = {"bootstrap_servers": [f"127.0.0.1:{free_port()}"], "reach_timeout_s": 1}
    config = written(tmp_path, {**settings, "pbx.main": NOBODY})
    away = command("run", "--config", str(config))
    assert "are the brokers up" in away.stderr
    assert_silent(run, away)


def assert_silent(*commands: CompletedProcess[str]) -> None:
    for done in commands:
        text = done.stdout + done.stderr
        assert "hunter2" not in text
        assert "Traceback" not in text
