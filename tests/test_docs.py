"""The documents say what the code does: commands, settings, examples, counts, links."""

import inspect
import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

from connector.actions.policy.policy import Policy
from connector.actions.policy.profiles import ACTIONS, NEVER
from connector.ami.action import AmiAction
from connector.ami.message import event_name
from connector.avro.schema import EventSchema, SchemaSet
from connector.cli import app
from connector.cli.options import NO_KAFKA, NO_PBX
from connector.edges.schemas import load_action_catalogue, load_schemas
from connector.events import intake, integrity, notices
from connector.events.gaps import holes
from connector.events.records import translate
from connector.events.watching import canary
from connector.settings.load import load
from connector.settings.privacy import privacy
from connector.settings.sections import Settings
from tests import reference
from tests.cli.commands import COMMANDS

ROOT: Final = Path(__file__).parents[1]
README: Final = (ROOT / "README.md").read_text("utf-8")
SETTINGS: Final = (ROOT / "docs" / "settings.md").read_text("utf-8")
SECURITY: Final = (ROOT / "docs" / "security.md").read_text("utf-8")
PRIVACY: Final = (ROOT / "docs" / "privacy.md").read_text("utf-8")
EVENTS: Final = (ROOT / "docs" / "events.md").read_text("utf-8")
PAGES: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "schemas").glob("*.md")])
CODE: Final = re.compile(r"^```.*?^```$|`[^`\n]*`(?!\])", re.DOTALL | re.MULTILINE)
CAPTURES: Final = ROOT / "tests" / "captures"


@pytest.fixture(scope="module")
def schemas() -> SchemaSet:
    return load_schemas(None)


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def read(text: str, environ: Mapping[str, str] | None = None) -> Settings:
    known = {"AMI_SECRET": "s", "KAFKA_PASSWORD": "p", "PSEUDONYM_KEY": "a key of some length"}
    return load(text, {**known, **(environ or {})}, lambda _: "from a file, as secrets are")


def test_the_two_commands_are_the_first_lines_of_the_readme() -> None:
    title, sentence, fence, demo, test = [line for line in README.splitlines() if line][:5]
    assert title == "# ami-kafka"
    assert sentence.endswith(".")
    assert fence == "```sh"
    assert demo.split()[:2] == ["make", "demo"]
    assert test.split()[:2] == ["make", "test"]


@pytest.mark.parametrize("name", [" ".join(name) for name in COMMANDS])
def test_every_command_is_in_the_readme(name: str) -> None:
    assert f"`{name}`" in README


def examples() -> list[str]:
    lines = [
        line for page in PAGES for each in blocks(page.read_text("utf-8"), "sh") for line in each.splitlines()
    ]
    return [line for line in lines if line.startswith("ami-kafka ")]


@pytest.mark.parametrize("line", examples())
def test_every_example_of_a_command_has_options_that_exist(line: str) -> None:
    words = tuple(shlex.split(line.partition(" > ")[0], comments=True)[1:])
    name = next(name for name in COMMANDS if words[: len(name)] == name)
    COMMANDS[name].make_context(name[-1], list(words[len(name) :]))


KEYS: Final = reference.settings()
ROWS: Final = reference.rows(SETTINGS)


def test_every_setting_is_described_and_no_other() -> None:
    assert len(KEYS) > 50
    assert ROWS.keys() == KEYS.keys()


def test_the_reference_of_settings_is_as_the_code_has_it() -> None:
    assert reference.written(SETTINGS) == SETTINGS


@pytest.mark.parametrize("key", [key for key, each in KEYS.items() if each.field.default is None])
def test_what_holds_where_nothing_is_set_is_told(key: str) -> None:
    assert ROWS[key][3]
    assert ROWS[key][3] != reference.MUST_BE_SET


def test_the_settings_of_the_readme_load(tmp_path: Path) -> None:
    text = "".join(blocks(README, "toml"))
    found = read(text)
    assert found.value_format == "avro"
    (section,) = blocks(README, "ini")
    ((name, _),) = found.pbx.items()
    config = tmp_path / "ami-kafka.toml"
    config.write_text(blocks(README, "toml")[0].replace("${env:AMI_SECRET}", "s"))
    printed = CliRunner().invoke(app, ["manager-conf", name, "--config", str(config)])
    assert section == printed.stdout.removesuffix("\n")


@pytest.mark.parametrize(
    "text", [*blocks(SETTINGS, "toml"), *blocks(SECURITY, "toml"), *blocks(PRIVACY, "toml")]
)
def test_the_examples_of_settings_load(text: str, schemas: SchemaSet) -> None:
    needs = ({} if "[pbx." in text else NO_PBX) | ({} if "[kafka]" in text else NO_KAFKA)
    found = read(text, needs)
    assert found.pbx
    assert privacy(found.privacy, schemas)


@pytest.mark.parametrize(
    "key", re.findall(r"^\| `([a-z]+\.[\w.]+)` \|", README, re.MULTILINE | re.IGNORECASE)
)
def test_settings_in_the_readme_exist(key: str) -> None:
    assert key in KEYS or key.startswith("asterisk.")


def test_the_record_in_the_readme_is_what_replay_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (text,) = blocks(README, "json")
    shown = json.loads(text)
    capture = re.findall(r"replay (tests/captures/\S+\.ami)", README)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["replay", str(ROOT / capture[0])])
    assert result.exit_code == 0
    assert shown in [json.loads(line) for line in result.stdout.splitlines()]


def test_the_python_in_the_readme_compiles() -> None:
    for text in blocks(README, "python"):
        compile(text, "README.md", "exec")


def test_the_numbers_of_events_are_right(schemas: SchemaSet) -> None:
    known = list(schemas)
    assert f"{len(known)}\nevents of Asterisk" in README
    assert f"The {sum(schema.selected for schema in known)} events" in README


def test_reasons_and_kinds_of_records_are_described(schemas: SchemaSet) -> None:
    reasons = (
        integrity.SUSPECT,
        intake.ORPHAN,
        intake.OVERSIZE,
        intake.UNAWAITED,
        intake.SESSION_LOST,
        intake.RESTARTED,
        canary.STREAM_STALLED,
        holes.SEQUENCE_HOLE,
        translate.TOO_LARGE,
        "refused",
    )
    written = "".join(inspect.getsource(module) for module in (intake, notices))
    kinds = re.findall(r'(?:notice|tell)\(\s*"(\w+)"', written)
    assert len(kinds) > 5
    for word in (*reasons, *kinds):
        assert f"`{word}`" in EVENTS
    assert all(f"`{field}`" in EVENTS for field in _envelope(schemas.unknown))


def _envelope(schema: EventSchema) -> list[str]:
    names = [field["name"] for field in json.loads(schema.text)["fields"]]
    return names[: names.index("privilege") + 1]


def heard() -> set[str]:
    frames = (frame for path in CAPTURES.rglob("*.ami") for frame in path.read_bytes().split(b"\r\n\r\n"))
    return {name for frame in frames if (name := event_name(frame))}


def test_every_event_is_in_a_capture_or_it_is_said_why_not(schemas: SchemaSet) -> None:
    reasons: dict[str, list[str]] = json.loads((CAPTURES / "absent.json").read_text("utf-8"))
    absent = [name for names in reasons.values() for name in names]
    assert len(absent) == len(set(absent))
    assert set(absent) == {schema.event for schema in schemas} - heard()


def links() -> list[tuple[Path, str]]:
    return [
        (page, target)
        for page in PAGES
        for target in re.findall(r"\]\(([^)\s]+)\)", CODE.sub("", page.read_text("utf-8")))
        if "://" not in target
    ]


@pytest.mark.parametrize(
    ("page", "target"), links(), ids=[f"{page.name}-{target}" for page, target in links()]
)
def test_links_lead_somewhere(page: Path, target: str) -> None:
    path, _, anchor = target.partition("#")
    found = page.parent / path if path else page
    assert found.exists()
    if anchor:
        heads = re.findall(r"^#+ (.+)$", found.read_text("utf-8"), re.MULTILINE)
        assert anchor in [re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads]


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_files_that_are_named_exist(page: Path) -> None:
    for name in re.findall(r"`((?:connector|docs|schemas|tests)/[\w./-]+)`", page.read_text("utf-8")):
        assert (ROOT / name).exists(), name
    if page.name == "design.md":
        for name in re.findall(
            r"`((?:ami|avro|events|settings|edges|app)/[\w./]+\.py)`", page.read_text("utf-8")
        ):
            assert (ROOT / "connector" / name).exists(), name


def test_functions_on_an_events_way_exist() -> None:
    design = (ROOT / "docs" / "design.md").read_text("utf-8")
    way = next(block for block in design.split("```") if "Connection.data_received" in block)
    sources = [path.read_text("utf-8") for path in (ROOT / "connector").rglob("*.py")]
    for owner, function in re.findall(r"\b([A-Z]\w+)\.([a-z_]\w+)", way):
        if owner != "Producer":
            assert any(f"class {owner}" in text and f"def {function}(" in text for text in sources), owner


def test_security_names_what_no_policy_lets_through_and_what_read_only_leaves_out() -> None:
    policy = Policy(load_action_catalogue())
    for name in re.findall(r"never forwarded: ([\w, \n]+)\.", SECURITY)[0].replace("\n", " ").split(","):
        assert name.strip().lower() in NEVER
    left_out = re.findall(r"no (GetConfig[\w, ]+) \|", SECURITY)[0].split(", ")
    assert len(left_out) > 4
    assert not [name for name in left_out if policy.judge("p", "t", AmiAction(name)).allowed]
    named = re.findall(r"queue members: ([\w, ]+) conferences", SECURITY)[0]
    assert set(re.findall(r"[A-Z]\w+", named)) <= set(ACTIONS["call-control"])
    none = [facts.name for facts in load_action_catalogue() if not facts.rights and 22 in facts.versions]
    assert f"\n{len(none)} actions need no class at all" in SECURITY
