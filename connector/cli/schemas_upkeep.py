"""`ami-kafka schemas`, the upkeep: write them, propose new ones, prove them, note a release."""
# ruff: noqa: PLC0415 (what takes long to load is loaded by the command that needs it)

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from connector.cli import output
from connector.cli.options import NO_KAFKA, NO_PBX, Config, Output, load_settings, settings_if_any
from connector.cli.output import Form
from connector.cli.schemas import load_all
from connector.errors import SchemaError

if TYPE_CHECKING:
    from connector.avro.compatibility import Finding, Released

_RELEASED: Final = "released.jsonl"

_Folder = Annotated[
    Path | None, typer.Option("--dir", help="Directory of the schemas. [default: the connector's own]")
]


def generate(
    *,
    check_only: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail if a file is not as the catalogue says.")
    ] = False,
    folder: _Folder = None,
    form: Output = Form.TEXT,
) -> None:
    """Write every .avsc from the catalogue."""
    from connector.avro import catalogue, generate

    root = _root(folder)
    texts = generate.schemas(catalogue.parse(_texts(root / "catalogue", "*.json")))
    present = _avsc(root)
    stale = sorted(name for name, text in texts.items() if present.get(name) != text)
    gone = sorted(present.keys() - texts.keys())
    if check_only:
        problems = dict.fromkeys(stale, "not as the catalogue says") | dict.fromkeys(gone, "not in it")
        _refuse(problems, form)
        return
    (root / "events").mkdir(exist_ok=True)
    for name in stale:
        (root / name).write_text(texts[name], encoding="utf-8")
    for name in gone:
        output.note(f"{name} is not in the catalogue; a released schema stays, another may be deleted")
    if form is Form.JSON:
        unchanged = len(texts) - len(stale)
        output.json_line({"dir": str(root), "written": stale, "unchanged": unchanged})
        return
    output.line(f"{len(stale)} written, {len(texts) - len(stale)} unchanged, in {root}")


def _refuse(problems: Mapping[str, str], form: Form) -> None:
    for name, problem in problems.items():
        if form is Form.JSON:
            output.json_line({"file": name, "problem": problem})
        else:
            output.line(f"{name}: {problem}")
    if problems:
        raise typer.Exit(output.FAILED)


def propose(
    source: Annotated[Path, typer.Argument(help="A PBX's core-en_US.xml, or a capture of its AMI.")],
    *,
    out: Annotated[
        Path | None, typer.Option(help="Directory to write .avsc files to, for user_schemas.")
    ] = None,
    config: Config = None,
    form: Output = Form.TEXT,
) -> None:
    """Propose schemas for events that have none; without --out, print their rows of the catalogue as JSON."""
    from connector.ami.framing import Framer
    from connector.ami.message import parse
    from connector.avro import catalogue, propose

    known = catalogue.parse(_texts(_root(None) / "catalogue", "*.json"))
    data = _data(source)
    if data.lstrip().startswith(b"<"):
        rows = propose.from_xml(data.decode("utf-8", "replace"), known)
    else:
        have = {(each.event, each.user_event or None) for each in load_all(settings_if_any(config))}
        rows = propose.from_frames((parse(frame).headers for frame in Framer().feed(data)), known, have)
    if not rows:
        output.note(f"{source}: every event in it has a schema")
    elif out is None:
        for row in rows:
            output.json_line({row.user_event or row.event or "": propose.as_json(row)})
    else:
        _write(propose.texts(rows, known), out, form)


def _write(texts: Mapping[str, str], folder: Path, form: Form) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
        if form is Form.JSON:
            output.json_line({"file": str(folder / name)})
        else:
            output.line(str(folder / name))


def check(folder: _Folder = None, form: Output = Form.TEXT) -> None:
    """Prove that the schemas fit every released version, and that they are written as they must be."""
    from connector import __version__
    from connector.avro import compatibility, lint

    events, actions = _events(folder), _actions(folder)
    present, released = [*events, *actions], _released(folder)
    findings = [
        *lint.lint_all(events),
        *(finding for schema in actions for finding in lint.lint_action(schema)),
        *compatibility.check(released, present, __version__),
    ]
    _print_findings(findings, form)
    versions = len({one.version for one in released})
    if findings:
        output.note(f"{len(findings)} findings in {len(present)} schemas")
        raise typer.Exit(output.FAILED)
    if form is Form.TEXT:
        past = "1 release" if versions == 1 else f"{versions} releases"
        output.line(f"{len(present)} schemas are compatible with {past}, and well written")


def _print_findings(findings: "list[Finding]", form: Form) -> None:
    if form is Form.JSON:
        for finding in findings:
            output.json_line({"where": finding.where, "rule": finding.rule, "what": finding.what})
    elif findings:
        output.table(("Where", "Rule", "What"), [(one.where, one.rule, one.what) for one in findings])


def release(
    version: Annotated[str, typer.Argument(help="The version that is about to be released, as in 1.2.0.")],
    folder: _Folder = None,
    form: Output = Form.TEXT,
) -> None:
    """Note the present schemas as released; what is noted is never changed again."""
    from connector.avro import compatibility

    present = [*_events(folder), *_actions(folder)]
    lines = compatibility.release(_released(folder), present, version)
    with (_root(folder) / _RELEASED).open("a", encoding="utf-8") as file:
        file.write(lines)
    noted = len(lines.splitlines())
    if form is Form.JSON:
        output.json_line({"version": version, "schemas": noted})
    else:
        output.line(f"{noted} schemas are new or changed in {version}")


def register(config: Config = None, form: Output = Form.TEXT) -> None:
    """Register the schemas of all that the settings publish, each under its subject."""
    from connector.app.parts import register as register_all

    done = asyncio.run(register_all(load_settings(config, NO_PBX | NO_KAFKA)))
    if form is Form.JSON:
        for subject, schema_id in done:
            output.json_line({"subject": subject, "id": schema_id})
    else:
        output.table(("Subject", "Id"), [(subject, str(schema_id)) for subject, schema_id in done])


def _events(folder: Path | None) -> list[dict[str, Any]]:
    return _values(_avsc(_root(folder)))


def _actions(folder: Path | None) -> list[dict[str, Any]]:
    return _values(_texts(_root(folder) / "actions", "*.avsc"))


def _values(texts: Mapping[str, str]) -> list[dict[str, Any]]:
    found = []
    for name, text in texts.items():
        try:
            found.append(json.loads(text))
        except ValueError as error:
            raise SchemaError(f"{name}: no JSON: {error}") from error
    return found


def _released(folder: Path | None) -> "tuple[Released, ...]":
    from connector.avro.compatibility import read

    path = _root(folder) / _RELEASED
    return read(_data(path).decode()) if path.exists() else ()


def _root(folder: Path | None) -> Path:
    from connector.edges.schemas import directory

    return folder or directory()


def _avsc(root: Path) -> dict[str, str]:
    return {f"events/{name}": text for name, text in _texts(root / "events", "*.avsc").items()} | _texts(
        root, "*.avsc"
    )


def _texts(folder: Path, pattern: str) -> dict[str, str]:
    return {path.name: _data(path).decode() for path in sorted(folder.glob(pattern))}


def _data(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SchemaError(f"{path}: cannot be read: {error.strerror}") from error


def add_to(app: typer.Typer) -> None:
    """Add these commands to those that only look."""
    for command in (generate, propose, check, release, register):
        app.command()(command)
