"""The files of deployment are as Compose's and Kubernetes' own schemas have them; a slip of the pen is found."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.parts import Unavailable, running, validators
from tests.real.conftest import REQUIRED

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
MANIFESTS = ROOT / "docs" / "deploy" / "kubernetes" / "ami-kafka.yml"

pytestmark = pytest.mark.real


@pytest.fixture(autouse=True)
def _validators_are_here() -> None:
    if not REQUIRED and not running.fetched("validators"):
        pytest.skip("validators are not here; get them with: python -m tests.parts fetch validators")
    try:
        validators.provided()
    except Unavailable as reason:
        pytest.fail(str(reason)) if REQUIRED else pytest.skip(str(reason))


@pytest.mark.parametrize(
    ("path", "problems"), [(COMPOSE, validators.compose), (MANIFESTS, validators.kubernetes)]
)
def test_it_is_valid(path: Path, problems: Callable[[Path], str]) -> None:
    assert problems(path) == ""


@pytest.mark.parametrize(
    ("path", "problems", "right", "wrong"),
    [
        (COMPOSE, validators.compose, "    depends_on:", "    depends-on:"),
        (MANIFESTS, validators.kubernetes, "  replicas: 1", "  replicaz: 1"),
        (MANIFESTS, validators.kubernetes, "runAsUser: 65532", "runAsUser: nobody"),
    ],
)
def test_what_is_wrong_is_found(
    path: Path, problems: Callable[[Path], str], right: str, wrong: str, tmp_path: Path
) -> None:
    text = path.read_text("utf-8")
    assert right in text
    broken = tmp_path / path.name
    broken.write_text(text.replace(right, wrong, 1))
    assert wrong.strip(" :").partition(":")[0] in problems(broken)
