"""Settings from TOML and environment: what is enough, what wins, and what every error names."""

from collections.abc import Mapping

import pytest

from connector.errors import SettingsError
from connector.settings.kinds import Address, Secret
from connector.settings.load import load
from connector.settings.sections import Settings, Tls, TopicFamily

LEAST = """
[pbx.main]
address = "pbx.example"
username = "kafka"
secret = "deep-in-the-sea"

[kafka]
bootstrap_servers = "kafka.example:9092"
"""


def no_file(path: str) -> str:
    raise FileNotFoundError(2, "No such file or directory", path)


def settings(text: str = "", environ: Mapping[str, str] | None = None) -> Settings:
    return load(LEAST + text, environ or {}, no_file)


def problems(text: str, environ: Mapping[str, str] | None = None) -> str:
    with pytest.raises(SettingsError) as refused:
        load(text, environ or {}, no_file)
    return str(refused.value)


def test_one_pbx_and_kafkas_address_are_enough() -> None:
    found = settings()
    pbx = found.pbx["main"]
    assert pbx.addresses == (Address("pbx.example", 5038),)
    assert pbx.account().secret == "deep-in-the-sea"
    assert pbx.account().events == "system,call,agent,cdr,user"
    assert found.value_format == "json"
    assert found.topics.create == "at-start"
    assert found.routing.prefix == "asterisk"
    assert found.rules.suspect == "dead-letter"


def test_with_a_registry_records_are_avro() -> None:
    found = settings(
        '[registry]\nurl = "https://registry.example/apis/ccompat/v7"\nsubject_strategy = "record"'
    )
    assert found.value_format == "avro"
    assert found.routing.strategy == "record"


def test_the_environment_wins_and_can_say_it_all() -> None:
    environ = {
        "AMI_KAFKA__PBX__MAIN__ADDRESS": "one.example:5039, [2001:db8::1]:5038",
        "AMI_KAFKA__PBX__MAIN__USERNAME": "kafka",
        "AMI_KAFKA__PBX__MAIN__SECRET": "s",
        "AMI_KAFKA__PBX__MAIN__TLS": "true",
        "AMI_KAFKA__PBX__MAIN__PING_INTERVAL_S": "2.5",
        "AMI_KAFKA__KAFKA__BOOTSTRAP_SERVERS": "a:9092,b:9092",
        "AMI_KAFKA__KAFKA__LIBRDKAFKA__SASL_PASSWORD": "p",
        "AMI_KAFKA__KAFKA__PRODUCER__LINGER_MS": "20",
        "AMI_KAFKA__TOPICS__PARTITIONS": "12",
        "AMI_KAFKA__TOPICS__FAMILIES__SYSTEM__CONFIG__MAX_MESSAGE_BYTES": "2000000",
        "AMI_KAFKA__EVENTS__SELECT": "@default,-Hangup",
        "AMI_KAFKA_OTHER": "not ours",
    }
    found = load("[topics]\npartitions = 3", environ, no_file)
    pbx = found.pbx["main"]
    assert pbx.address == (Address("one.example", 5039), Address("2001:db8::1", 5038))
    assert pbx.tls == Tls()
    assert pbx.deadlines.ping_every == 2.5
    assert found.kafka.bootstrap_servers == ("a:9092", "b:9092")
    assert found.kafka.librdkafka == {"sasl.password": Secret("p")}
    assert found.kafka.producer == {"linger.ms": "20"}
    assert found.topics.partitions == 12
    assert found.topics.families == {"system": TopicFamily(config={"max.message.bytes": "2000000"})}
    assert found.events.select == ("@default", "-Hangup")


def test_a_variable_finds_the_pbx_that_is_there() -> None:
    text = LEAST.replace("pbx.main", "pbx.Main-Site")
    found = load(text, {"AMI_KAFKA__PBX__MAIN_SITE__USERNAME": "other"}, no_file)
    assert found.pbx["Main-Site"].username == "other"


def test_a_pbx_may_be_called_like_a_table_of_options() -> None:
    found = settings(
        environ={
            "AMI_KAFKA__PBX__ADMIN__ADDRESS": "h",
            "AMI_KAFKA__PBX__ADMIN__USERNAME": "u",
            "AMI_KAFKA__PBX__ADMIN__SECRET": "s",
        }
    )
    assert found.pbx["admin"].username == "u"


def test_librdkafkas_options_pass_untouched_however_toml_writes_them() -> None:
    found = settings(
        '[kafka.librdkafka]\nsecurity.protocol = "SASL_SSL"\n"linger.ms" = 7\nsocket.keepalive.enable = false'
    )
    assert found.kafka.librdkafka == {
        "security.protocol": "SASL_SSL",
        "linger.ms": 7,
        "socket.keepalive.enable": False,
    }


def test_references_are_resolved() -> None:
    text = LEAST.replace('"deep-in-the-sea"', '"${file:/run/secret}-${env:TAIL}"')
    found = load(text, {"TAIL": "tail"}, {"/run/secret": "head\n"}.__getitem__)
    assert found.pbx["main"].secret.reveal() == "head-tail"


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        ("deep", "deep"),
        ("deep\n", "deep"),
        ("deep\r\n", "deep"),
        (" deep ", " deep "),
        ("${env:TAIL}", "${env:TAIL}"),
    ],
)
def test_of_a_file_the_last_line_end_is_left_out_and_nothing_else_changed(content: str, secret: str) -> None:
    text = LEAST.replace("deep-in-the-sea", "${file:/run/secret}")
    found = load(text, {"TAIL": "tail"}, {"/run/secret": content}.__getitem__)
    assert found.pbx["main"].secret.reveal() == secret


def test_a_file_may_stand_in_the_environment_and_in_an_option_of_librdkafka() -> None:
    files = {"/run/ami": "ami\n", "/run/kafka": "kafka\n"}
    environ = {
        "AMI_KAFKA__PBX__MAIN__SECRET": "${file:/run/ami}",
        "AMI_KAFKA__KAFKA__LIBRDKAFKA__SASL_PASSWORD": "${file:/run/kafka}",
    }
    found = load(LEAST, environ, files.__getitem__)
    assert found.pbx["main"].secret == Secret("ami")
    assert found.kafka.librdkafka == {"sasl.password": Secret("kafka")}


def test_what_a_secret_file_holds_is_shown_in_no_error() -> None:
    text = LEAST.replace("deep-in-the-sea", "${file:/run/secret}")
    with pytest.raises(SettingsError) as refused:
        load(text, {}, {"/run/secret": "hunter2\nhunter3\n"}.__getitem__)
    assert str(refused.value) == "pbx.main.secret: holds control characters"


def test_references_to_nothing_are_told_all_at_once() -> None:
    text = LEAST.replace("deep-in-the-sea", "${env:ONE}") + '[registry]\nurl = "${file:/two}"\n'
    said = problems(text, {"AMI_KAFKA__PBX__MAIN__USERNAME": "${env:THREE}"})
    assert said.splitlines() == [
        "pbx.main.secret: the environment has no 'ONE'",
        "registry.url: cannot read '/two': No such file or directory",
        "AMI_KAFKA__PBX__MAIN__USERNAME: the environment has no 'THREE'",
    ]


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("${env:NOT_THERE}", "pbx.main.secret: the environment has no 'NOT_THERE'"),
        ("${file:/not/there}", "pbx.main.secret: cannot read '/not/there': No such file or directory"),
        ("${evn:NAME}", "pbx.main.secret: ${evn:...} is unknown; ${env:NAME} and ${file:/path} are"),
    ],
)
def test_a_reference_to_nothing_is_named(reference: str, said: str) -> None:
    assert problems(LEAST.replace("deep-in-the-sea", reference)) == said


def test_every_problem_is_named_in_a_line_of_its_own() -> None:
    said = problems("""
        [pbx.main]
        adress = "h"
        auth = "md6"
        secret = "x"
        ping_interval_s = nan
        timezone = "Europe/Nowhere"
        [kafak]
        [topics]
        partitions = 0
    """)
    assert set(said.split("\n")) == {
        "pbx.main.adress: no such setting; did you mean 'address'?",
        "pbx.main.address: must be set",
        "pbx.main.username: must be set",
        "pbx.main.auth: must be one of md5, plain, not 'md6'; did you mean 'md5'?",
        "pbx.main.ping_interval_s: must be a number, not nan",
        "pbx.main.timezone: must be the IANA name of a timezone, as Europe/Berlin, not 'Europe/Nowhere'",
        "kafak: no such setting; did you mean 'kafka'?",
        "kafka.bootstrap_servers: must be set",
        "topics.partitions: must be 1 to 1,000,000, not 0",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("= 1", "the settings are no TOML"),
        ("pbx = 1", "pbx: must be a table, [pbx]"),
        (LEAST.replace("pbx.main", 'pbx."a b"'), "pbx.'a b': must be letters, digits"),
        (LEAST.replace("pbx.example", "pbx.example:99999"), "pbx.main.address[0]: must be host:port"),
        (
            LEAST.replace("pbx.example", "2001:db8::1"),
            "pbx.main.address[0]: must be host:port or [IPv6]:port",
        ),
        (LEAST.replace('"pbx.example"', "[]"), "pbx.main.address: must name at least one"),
        (LEAST.replace('"pbx.example"', "5"), "pbx.main.address: must be a list of texts, or one text"),
        (LEAST + '[events]\nformat = "avro"', "events.format: avro needs registry.url"),
        (LEAST + '[events]\ntopic_prefix = ".."', "events.topic_prefix: must be a legal topic name"),
        (LEAST + '[events]\ntopics.Hangup = "a b"', "events.topics.Hangup: must be a legal topic name"),
        (LEAST + '[registry]\nurl = "https://u:p@h"', "registry.url: must be http:// or https://"),
        (LEAST + '[registry]\nurl = "http://h"\nusername = "u"', "registry.username: username and password"),
        (
            LEAST + '[registry]\nurl = "http://h"\nusername = "u"\npassword = "p"\ntoken = "t"',
            "registry.token: ",
        ),
        (LEAST + "[kafka.producer]\nlinger.ms = [1]", "kafka.producer.linger.ms: must be text"),
        (LEAST + "[log]\nlevel = 5", "log.level: must be one of debug, info, warning, error, not 5"),
        (
            LEAST + "[journal]\nmax_bytes = 0xffffffffffffffffffff",
            "journal.max_bytes: a whole number has 64 bits",
        ),
        ("a." * 5000 + "b = 1", "the settings are no TOML"),
        (
            LEAST.replace("\n[kafka]", f'timezone = "{"Europe/" * 500}Berlin"\n[kafka]'),
            "pbx.main.timezone: must be the IANA name of a timezone",
        ),
    ],
)
def test_an_error_names_the_key_and_what_is_allowed(text: str, said: str) -> None:
    assert said in problems(text)


def test_a_canary_that_could_never_be_seen_is_refused() -> None:
    def asking(*classes: str) -> str:
        return LEAST.replace("\n[kafka]", f"canary_s = 60\nevent_classes = {[*classes]}\n[kafka]")

    said = problems(asking("call"))
    assert said.startswith("pbx.main.canary_s: ")
    assert 'add "user" to pbx.main.event_classes' in said
    for one in ("user", "all"):
        assert load(asking(one), {}, no_file).pbx["main"].canary_s == 60


def test_a_wrong_variable_is_named() -> None:
    assert "kafka.nonsense: no such setting" in problems(LEAST, {"AMI_KAFKA__KAFKA__NONSENSE": "1"})
    assert "AMI_KAFKA__KAFKA____X: two underscores" in problems(LEAST, {"AMI_KAFKA__KAFKA____X": "1"})


def test_no_pbx_is_no_use() -> None:
    assert "pbx: at least one" in problems('[pbx]\n[kafka]\nbootstrap_servers = "a"')


def test_secrets_are_never_shown() -> None:
    secret = "deep-in-the-sea"
    text = (
        LEAST
        + f"""
        [kafka.librdkafka]
        sasl.password = "{secret}"
        ssl.key.pem = "{secret}"
        [registry]
        url = "http://h"
        token = "{secret}"
    """
    )
    assert secret not in repr(settings(text.removeprefix(LEAST)))
    assert secret not in str(settings().pbx["main"].secret)
    for key in ("AMI_KAFKA__TOPICS__PARTITIONS", "AMI_KAFKA__LOG__LEVEL", "AMI_KAFKA__PBX__MAIN__TLS"):
        assert secret not in problems(LEAST, {key: secret})
    assert secret not in problems(LEAST.replace(f'"{secret}"', f'"{secret}\\n"'))


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ('username = "eve"', "http.username: username and password go together"),
        ('password = "p"', "http.username: username and password go together"),
        ('username = "eve"\npassword = "p"\ntoken = "t"', "http.token: username and password, or a token"),
        ('username = "e:ve"\npassword = "p"', "http.username: a colon"),
        ("port = 65536", "http.port: must be 0 to 65,535"),
        ('token = ""', "http.token: must be text"),
    ],
)
def test_what_is_wrong_with_http_is_told(lines: str, problem: str) -> None:
    text = (
        f'[pbx.m]\naddress="h"\nusername="u"\nsecret="s"\n[kafka]\nbootstrap_servers="k:1"\n[http]\n{lines}\n'
    )
    with pytest.raises(SettingsError, match=problem):
        load(text, {}, lambda _: "")


PRINT = ":".join(["aB"] * 32)


@pytest.mark.parametrize("said", [f'"{PRINT}"', f'["{PRINT}"]', f'["{"0" * 64}", "{PRINT}"]'])
def test_a_pinned_certificate_may_be_one_or_several(said: str) -> None:
    tls = settings(f"[pbx.main.tls]\nfingerprint = {said}").pbx["main"].tls
    assert tls is not None
    assert tls.fingerprint[-1] == PRINT


@pytest.mark.parametrize("more", ['ca_file = "a.pem"', 'server_name = "pbx"', "verify = false"])
def test_a_pinned_certificate_stands_alone(more: str) -> None:
    problem = problems(f'{LEAST}[pbx.main.tls]\nfingerprint = "{PRINT}"\n{more}')
    assert problem.startswith("pbx.main.tls.fingerprint: stands alone")


@pytest.mark.parametrize("said", ["ab", "g" * 64, PRINT + ":00", PRINT.replace(":", "-")])
def test_a_fingerprint_is_a_sha256(said: str) -> None:
    problem = problems(f'{LEAST}[pbx.main.tls]\nfingerprint = "{said}"')
    assert "must be a certificate's SHA-256" in problem


def test_a_password_in_a_url_is_not_shown() -> None:
    said = problems(LEAST + '[registry]\nurl = "https://bridge:hunter2@registry.example"')
    assert said == "registry.url: must be http:// or https://, a host and a path, without user and password"
